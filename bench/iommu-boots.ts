import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { sayFunction } from '../src/core/boot/guest-report.ts'
import { overrideParameter } from '../src/core/host/acs-override.ts'
import { acsSettings } from '../src/core/host/acs-search.ts'
import { cpioArchive } from '../src/core/host/cpio.ts'
import { guestBase } from '../src/core/host/guest-base.ts'
import { iommuCommand } from '../src/core/host/iommu-topology.ts'
import { readPciConfig } from '../src/core/host/pci-device.ts'
import { runGuest } from '../src/pipeline/host-kernel/run-guest.ts'
import {
  addressGroupsText,
  bootsFolder,
  type BootedDevice,
  type BootedGroups,
  type BootedMachine,
} from '../test/helpers/iommu-boots.ts'
import { modelGroups } from '../test/helpers/iommu-model.ts'
import { bootMachines, type BootMachine } from './iommu-machines.ts'

/**
 * `node dist/bench/iommu-boots.js missing=BZIMAGE always=BZIMAGE [--record] [NAME…]`: boots machines in QEMU with
 * patched kernels and compares their IOMMU groups with the model's; with --record the groups become the fixtures
 * that `npm test` compares it with. The kernels are made as CONTRIBUTING.md says.
 */
const script = (setUp: string): string => `#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/bin/busybox --install -s /bin
export PATH=/bin
${sayFunction}
dmesg -n 1
${setUp}
say release $(uname -r)
for device in /sys/bus/pci/devices/*; do
  path=$(readlink -f "$device")
  physfn=$(readlink "$device/physfn")
  group=$(readlink "$device/iommu_group")
  say device "\${device##*/}" "$(basename "$(dirname "$path")")" "$(cat "$device/class")" \\
    "$(cat "$device/vendor")" "$(cat "$device/device")" "physfn:\${physfn##*/}" "group:\${group##*/}" \\
    "$(gzip -c "$device/config" | base64 | tr -d '\\n')"
done
say end
# Whoever listens ends the machine; what is on the line must not be lost to the end of the power.
sleep 5
poweroff -f
`

interface Seen {
  readonly kernel: string
  readonly devices: readonly BootedDevice[]
  readonly groups: readonly (readonly string[])[]
}

function readReport(report: readonly string[]): Seen {
  const devices: BootedDevice[] = []
  const groups = new Map<string, string[]>()
  let kernel = ''
  for (const line of report) {
    const [word, ...fields] = line.split(' ')
    if (word === 'release') kernel = fields[0] ?? ''
    if (word !== 'device') continue
    const [
      address = '',
      above = '',
      pciClass = '',
      vendor = '',
      id = '',
      physfn = '',
      group = '',
      config = '',
    ] = fields
    const number = group.slice('group:'.length)
    if (number !== '') groups.set(number, [...(groups.get(number) ?? []), address])
    devices.push({
      address,
      parent: above.startsWith('pci') ? null : above,
      class: pciClass.slice(2),
      id: `${vendor.slice(2)}:${id.slice(2)}`,
      physicalFunction: physfn === 'physfn:' ? null : physfn.slice('physfn:'.length),
      config: readPciConfig(gunzipSync(Buffer.from(config, 'base64'))),
    })
  }
  return { kernel, devices, groups: [...groups.values()] }
}

async function boot(
  machine: BootMachine,
  kernelPath: string,
  parameters: readonly string[],
  folder: string,
): Promise<Seen> {
  const initrdPath = path.join(folder, 'initrd')
  const base = guestBase(readFileSync('/bin/busybox'), script(machine.setUp ?? ''))
  writeFileSync(initrdPath, gzipSync(cpioArchive(base), { level: 1 }))
  const run = await runGuest({
    command: (accel) =>
      iommuCommand({
        accel,
        kernelPath,
        initrdPath,
        parameters: [...(machine.parameters ?? []), ...overrideParameter(parameters)],
        memoryMib: 512,
        devices: machine.devices,
      }),
    accelerators: ['tcg'],
    limits: { silenceMs: 120_000, overallMs: 300_000 },
    logPath: path.join(folder, 'serial.log'),
    signal: new AbortController().signal,
    onFallBack: () => {},
  })
  if (run.failure !== undefined) throw new Error(`${machine.name}: ${run.failure}`)
  return readReport(run.report)
}

/** One device or boot a line. */
function fixtureText(machine: BootedMachine): string {
  const lines = (items: readonly object[]): string =>
    items.map((item) => `    ${JSON.stringify(item)}`).join(',\n')
  const { name, what, kernel } = machine
  const head = Object.entries({ name, what, kernel }).map(
    ([key, value]) => `  ${JSON.stringify(key)}: ${JSON.stringify(value)},\n`,
  )
  return `{\n${head.join('')}  "devices": [\n${lines(machine.devices)}\n  ],\n  "boots": [\n${lines(machine.boots)}\n  ]\n}\n`
}

const args = process.argv.slice(2)
const kernels = (['missing', 'always'] as const).flatMap((mode) => {
  const given = args.find((arg) => arg.startsWith(`${mode}=`))
  return given === undefined ? [] : [{ mode, kernelPath: given.slice(mode.length + 1) }]
})
const names = args.filter((arg) => /^[a-z-]+$/.test(arg) && !arg.startsWith('--'))
const folder = mkdtempSync(path.join(tmpdir(), 'fwbuild-boots-'))
let differences = 0
try {
  for (const machine of bootMachines.filter(({ name }) => names.length === 0 || names.includes(name))) {
    let first: Seen | undefined
    const boots: BootedGroups[] = []
    for (const { mode, kernelPath } of kernels) {
      const kinds = acsSettings.filter((setting) => setting.mode === mode).map(({ parameters }) => parameters)
      for (const parameters of [[], ...kinds, ...machine.ids.map((id) => [`id:${id}`])]) {
        const seen = await boot(machine, kernelPath, parameters, folder)
        first ??= seen
        boots.push({ mode, parameters, groups: seen.groups })
      }
    }
    if (first === undefined) throw new Error('give missing=BZIMAGE, always=BZIMAGE or both')
    const booted = {
      name: machine.name,
      what: machine.what,
      kernel: first.kernel,
      devices: first.devices,
      boots,
    }
    for (const each of boots) {
      const expected = addressGroupsText(modelGroups(booted, each))
      const told = addressGroupsText(each.groups)
      if (told !== expected) {
        differences += 1
        console.log(
          `${machine.name} ${each.mode} ${each.parameters.join(',')}\n  booted ${told}\n  model  ${expected}`,
        )
      }
    }
    console.log(`${machine.name}: ${boots.length} boots`)
    if (args.includes('--record')) {
      mkdirSync(bootsFolder, { recursive: true })
      writeFileSync(path.join(bootsFolder, `${machine.name}.json`), fixtureText(booted))
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
console.log(differences === 0 ? 'the model says what the kernels did' : `${differences} differences`)
process.exitCode = differences === 0 ? 0 : 1

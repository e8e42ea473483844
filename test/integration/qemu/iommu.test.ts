import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { proofCommand } from '../../../src/core/host/iommu-topology.ts'
import { needBusybox } from '../../helpers/busybox-image.ts'
import { cli } from '../../helpers/cli.ts'
import { debianKernel, needDebianKernel } from '../../helpers/debian-kernel.ts'
import { needProgram, testWith } from '../../helpers/need.ts'
import { dumpSysfs } from '../../helpers/sysfs-dump.ts'

let directory = ''
test.before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fwbuild-iommu-test-'))
})
test.after.always(() => rm(directory, { recursive: true, force: true }))

const needs = [needProgram('qemu-system-x86_64'), needProgram('modinfo'), needBusybox(), needDebianKernel()]

testWith(needs, 'the groups of a machine that runs are listed as its kernel lists them', async (t) => {
  const kernel = await debianKernel(await mkdtemp(join(directory, 'kernel-')))
  const groups = await dumpSysfs({
    kernel,
    modules: [],
    command: (initrdPath) =>
      proofCommand({
        accel: 'tcg',
        topology: 'B+R',
        kernelPath: kernel.kernelPath,
        initrdPath,
        parameters: [],
        memoryMib: 512,
      }),
    directory,
  })
  const sysfs = ['iommu', '--sysfs', join(directory, 'sys')]
  const document = JSON.parse((await cli([...sysfs, '--json'])).stdout) as {
    groups: { id: number; devices: { address: string }[] }[]
  }
  const listed = document.groups.flatMap(({ id, devices }) =>
    devices.map(({ address }) => `${id} ${address}`),
  )
  t.true(groups.length > 5)
  t.deepEqual([...listed].sort(), [...groups].sort())
  const { stdout } = await cli([...sysfs, '--device', '02:00.0'])
  t.regex(stdout, /--acs=always, booted with pcie_acs_override=downstream\n/)
})

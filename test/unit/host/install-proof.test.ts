import { spawnSync } from 'node:child_process'
import test from 'ava'
import { installMachineCommand } from '../../../src/core/host/install-machine.ts'
import {
  installBoots,
  judgeInstallBoot,
  notReached,
  prepareBoot,
  proofInit,
} from '../../../src/core/host/install-proof.ts'

const plan = {
  release: '6.1.192-fwbuild-acs',
  parameters: ['iommu=pt', 'pcie_acs_override=downstream'],
  vfioIds: ['8086:10d3'],
  zfs: true,
}

test('every script is sh, and calls each of its checks once', (t) => {
  for (const boot of [
    prepareBoot,
    ...installBoots(plan),
    ...installBoots({ ...plan, vfioIds: [], zfs: false }),
  ]) {
    const { status, stderr } = spawnSync('sh', ['-n'], { input: boot.script, encoding: 'utf8' })
    t.is(status, 0, `${boot.name}: ${stderr}`)
    const called = [...boot.script.matchAll(/^check (\S+) /gm)].map((match) => match[1])
    t.deepEqual(called, boot.checks)
  }
  t.is(spawnSync('sh', ['-n'], { input: proofInit }).status, 0)
})

test('verdicts come from the guest; what it did not tell of has failed for its reason', (t) => {
  const [boot] = installBoots(plan)
  t.truthy(boot)
  if (boot === undefined) return
  t.deepEqual(
    judgeInstallBoot(boot, ['passed own-grub 6.1.0-50', 'noise', 'failed other no room'], 'panic'),
    [
      { name: 'own-grub', status: 'passed', detail: '6.1.0-50' },
      { name: 'install', status: 'failed', detail: 'panic' },
    ],
  )
  t.true(notReached([boot]).every(({ status }) => status === 'not-run'))
})

test('the system’s disk is the only one that is written, and GRUB’s choice unless a kernel is given', (t) => {
  const machine = { accel: 'tcg', iommu: 'intel-iommu', disks: ['/a,b', '/c'] } as const
  const command = installMachineCommand(machine)
  t.deepEqual(
    command.filter((word) => word.startsWith('if=none')),
    ['if=none,id=disk0,format=raw,file=/a,,b', 'if=none,id=disk1,format=raw,readonly=on,file=/c'],
  )
  t.false(command.includes('-kernel'))
  const direct = { kernelPath: '/k', initrdPath: '/i', parameters: ['a', 'b'] }
  t.true(
    installMachineCommand({ ...machine, direct })
      .join(' ')
      .includes('-kernel /k -initrd /i -append a b'),
  )
})

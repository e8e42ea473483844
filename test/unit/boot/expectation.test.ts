import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { assert, integer, property } from 'fast-check'
import { guestChecks, type GuestCheck } from '../../../src/core/boot/guest-checks.ts'
import { play, type FakeGuest } from '../../helpers/fake-guest.ts'

const transcript = (name: string): string =>
  readFileSync(join('test/fixtures/boot/transcripts', `${name}.txt`), 'utf8')

const statuses = (played: ReturnType<typeof play>): Record<string, string> =>
  Object.fromEntries(played.state.results.map(({ name, status }) => [name, status]))

const detailOf = (played: ReturnType<typeof play>, name: string): string | undefined =>
  played.state.results.find((check) => check.name === name)?.detail

const answers: readonly (readonly [RegExp, string])[] = [
  [/answer/, 'answer 42'],
  [/uname/, 'Linux 6.12.103 #0 SMP x86_64'],
  [/firmware\/efi/, 'uefi'],
  [
    /mountinfo/,
    '24 1 254:2 / / rw,noatime shared:1 - ext4 /dev/root rw\n\nmajor minor  #blocks  name\n\n 254 0 131072 vda\n 254 2 106496 vda2',
  ],
  [
    /drivers/,
    [
      'virtio_blk/virtio0',
      'virtio_net/virtio1',
      'virtio_rng/virtio3',
      'virtio_balloon/virtio4',
      'virtio_console/virtio5',
    ]
      .map((name) => `/sys/bus/virtio/drivers/${name}`)
      .join(' '),
  ],
  [
    /br-lan/,
    '4: br-lan: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500\n    inet 192.168.1.1/24 scope global br-lan',
  ],
  [/ubus/, '{ "kernel": "6.12.103", "model": "QEMU" }'],
]

const answering: FakeGuest['answer'] = (command) => ({
  output: answers.find(([pattern]) => pattern.test(command))?.[1] ?? '',
})

const checks = guestChecks({ hypervisors: ['kvm'], firmware: 'uefi', expectedDisk: 'vda', shares: [] })
const good: FakeGuest = { boot: transcript('good'), answer: answering }

test('a good boot passes every check and is powered off', (t) => {
  const played = play(good, { checks })
  t.deepEqual([...new Set(Object.values(statuses(played)))], ['passed'])
  t.deepEqual(Object.keys(statuses(played)), [
    'console',
    'shell',
    'kernel',
    'firmware',
    'root-filesystem',
    'kvm-drivers',
    'network',
    'board',
    'kernel-log',
  ])
  t.is(played.sent.at(-1), 'poweroff\n')
  t.is(detailOf(played, 'root-filesystem'), 'ext4 on vda2, read-write')
})

test('how the output is cut into pieces changes nothing', (t) => {
  const whole = statuses(play(good, { checks }))
  assert(
    property(integer({ min: 1, max: 200 }), (chunkChars) => {
      t.deepEqual(statuses(play({ ...good, chunkChars }, { checks })), whole)
    }),
    { numRuns: 40 },
  )
})

test('Enter is pressed again when the console did not listen yet', (t) => {
  const played = play({ ...good, deafTo: 2 }, { checks })
  t.is(statuses(played)['shell'], 'passed')
  t.deepEqual(played.sent.slice(0, 3), ['\n', '\n', '\n'])
})

const failures: readonly (readonly [string, RegExp])[] = [
  ['no-root', /kernel panicked: Kernel panic - not syncing: VFS: Unable to mount root fs/],
  ['oops', /internal error: BUG: kernel NULL pointer/],
  ['secure-boot', /Secure Boot/],
  ['no-kernel', /GRUB could not start the kernel/],
  ['grub-rescue', /GRUB did not find its files/],
]
for (const [name, detail] of failures) {
  test(`${name} fails at once and says why`, (t) => {
    const played = play({ boot: transcript(name) }, { checks })
    t.is(statuses(played)['console'], 'failed')
    t.regex(detailOf(played, 'console') ?? '', detail)
    t.is(statuses(played)['kernel-log'], 'not-run')
    t.true(played.endedMs < 5000)
    const inPieces = play({ boot: transcript(name), chunkChars: 7 }, { checks })
    t.is(detailOf(inPieces, 'console'), detailOf(played, 'console'))
  })
}

test('waiting for the root device may end well or not', (t) => {
  const stuck = play({ boot: transcript('waiting-for-root') }, { checks })
  t.regex(detailOf(stuck, 'console') ?? '', /root device did not appear/)
  const late = play({ ...good, boot: transcript('waiting-for-root') + transcript('good') }, { checks })
  t.is(statuses(late)['kernel-log'], 'passed')
})

test('KVM that shows no kernel for 15 s asks for another accelerator; a slow one with a kernel does not', (t) => {
  const decoy = play({ boot: 'SeaBIOS\r\n' }, { accel: 'kvm', checks })
  t.true(decoy.state.acceleratorSilent)
  t.true(decoy.endedMs <= 15_200)
  const refused = { exitCode: 1, stderr: 'qemu: failed to initialize kvm: Permission denied\n' }
  t.true(play({ boot: '', exit: refused }, { accel: 'kvm' }).state.phase === 'ended')
  const slow = play({ boot: '[    0.000000] Linux version 6.12\r\n' }, { accel: 'kvm', checks })
  t.false(slow.state.acceleratorSilent)
  t.regex(
    detailOf(slow, 'console') ?? '',
    /no console after 120 s; last line: \[ {4}0.000000\] Linux version/,
  )
})

test('no output at all ends after the silence limit', (t) => {
  const played = play({ boot: '' }, { checks, limits: { silenceMs: 3000 } })
  t.is(detailOf(played, 'console'), 'no output on the serial line for 3 s')
})

test('a guest that ends by itself has failed', (t) => {
  const rebooted = play({ boot: 'x\r\n', exit: { exitCode: 0, stderr: '' } }, { checks })
  t.is(detailOf(rebooted, 'console'), 'the guest rebooted or switched itself off')
  const refused = play({ boot: 'x', exit: { exitCode: 1, stderr: 'qemu: Could not open\n' } }, { checks })
  t.is(detailOf(refused, 'console'), 'QEMU ended with exit code 1: qemu: Could not open')
})

test('a check is repeated while services start, and a failed one does not hide the next', (t) => {
  let asked = 0
  const answer: FakeGuest['answer'] = (command) => {
    if (!command.includes('br-lan')) return answering(command, 0)
    asked += 1
    return asked < 4 ? { output: "ip: can't find device 'br-lan'", exitCode: 1 } : answering(command, 0)
  }
  t.is(statuses(play({ ...good, answer }, { checks }))['network'], 'passed')
  const never: FakeGuest['answer'] = (command) =>
    command.includes('br-lan') ? { output: '', exitCode: 1 } : answering(command, 0)
  const played = play({ ...good, answer: never }, { checks })
  t.is(statuses(played)['network'], 'failed')
  t.is(statuses(played)['board'], 'passed')
})

test('a command that hangs is interrupted and told', (t) => {
  const hanging: GuestCheck = {
    name: 'hanging',
    command: 'sleep 1000',
    judge: () => ({ passed: true, detail: '' }),
    retryForMs: 0,
  }
  const played = play({ boot: transcript('good'), answer: () => undefined }, { checks: [hanging] })
  t.regex(detailOf(played, 'hanging') ?? '', /did not answer within 30 s/)
  t.true(played.sent.some((text) => text.startsWith('\u0003')))
})

test('a kernel error while the checks run fails the boot', (t) => {
  const answer: FakeGuest['answer'] = (command) =>
    command.includes('ubus')
      ? { output: '[   30.000000] BUG: unable to handle page fault\n{}' }
      : answering(command, 0)
  const played = play({ ...good, answer }, { checks })
  t.is(statuses(played)['board'], 'passed')
  t.is(statuses(played)['kernel-log'], 'failed')
})

test('kernel messages between the output of a command are no part of it', (t) => {
  const answer: FakeGuest['answer'] = (command, atMs) => {
    const { output = '' } = answering(command, atMs) ?? {}
    return { output: `[   30.000000] br-lan: port 1(eth0) entered forwarding state\n${output}` }
  }
  t.deepEqual([...new Set(Object.values(statuses(play({ ...good, answer }, { checks }))))], ['passed'])
})

test('the whole has a limit', (t) => {
  const slow: FakeGuest['answer'] = () => ({ output: 'no', exitCode: 1 })
  const played = play({ ...good, answer: slow }, { checks, limits: { overallMs: 20_000 } })
  t.regex(detailOf(played, 'shell') ?? '', /not finished after 20 s/)
  t.true(played.endedMs <= 20_200)
})

import test from 'ava'
import {
  advanceGuest,
  startGuest,
  type GuestEvent,
  type GuestState,
} from '../../../src/core/boot/guest-report.ts'

const limits = { silenceMs: 1000, overallMs: 5000 }

function run(events: readonly GuestEvent[], kvm = false): GuestState {
  return events.reduce((state, event) => advanceGuest({ kvm, limits }, state, event), startGuest(0))
}

const serial = (text: string, atMs = 10): GuestEvent => ({ type: 'serial', text, atMs })
const tick = (atMs: number): GuestEvent => ({ type: 'tick', atMs })
const detailOf = ({ outcome }: GuestState): string | undefined =>
  outcome?.finished === false ? outcome.detail : undefined

test('framed lines are the report, in any chunks, kernel messages are not', (t) => {
  const text = '[    0.100000] Linux version 6.1\r\nfwb|release 6.1|\r\nfwb|group 1 a|\r\n'
  const state = run(text.split('').map((letter) => serial(letter)))
  t.deepEqual(state.report, ['release 6.1', 'group 1 a'])
  t.is(state.outcome, undefined)
  const ended = run([serial(`${text}fwb|end|\r\nfwb|late|\r\n`)])
  t.deepEqual(ended.outcome, { finished: true })
  t.is(ended.report.length, 2)
})

test('a panic ends it with the whole line, also when QEMU goes first', (t) => {
  const panic = serial('[    2.000000] Kernel panic - not syncing: Attempted to kill init!\n')
  t.regex(detailOf(run([panic, tick(3000)])) ?? '', /panicked: .*kill init/)
  t.regex(detailOf(run([panic, { type: 'exit', exitCode: 0, stderr: '', atMs: 20 }])) ?? '', /panicked/)
  t.is(run([panic, tick(20)]).outcome, undefined)
})

test('what the guest quotes of the kernel is no failure', (t) => {
  t.is(run([serial('fwb|log BUG: of long ago|\n'), tick(4000)]).outcome, undefined)
})

test('silence, too long, gone: each by its name', (t) => {
  t.regex(detailOf(run([tick(1500)])) ?? '', /no output on the serial line for 1 s/)
  t.regex(detailOf(run([serial('fwb|x|\n'), serial('waiting'), tick(5000)])) ?? '', /5 s; last line: waiting/)
  t.regex(detailOf(run([{ type: 'exit', exitCode: 0, stderr: '', atMs: 1 }])) ?? '', /switched itself off/)
  t.regex(
    detailOf(run([{ type: 'exit', exitCode: 1, stderr: 'no such kernel\n', atMs: 1 }])) ?? '',
    /exit code 1: no such kernel/,
  )
})

test('KVM without a kernel is given up although the firmware speaks', (t) => {
  const { outcome } = run([serial('SeaBIOS\n'), tick(1500)], true)
  t.like(outcome, { finished: false, acceleratorSilent: true })
  t.is(run([serial('[    0.000000] Linux\n'), tick(1500)], true).outcome, undefined)
})

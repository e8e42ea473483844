import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { processorWaitMs } from '../../../src/effects/processor-wait.ts'

test('a process that sleeps waits for no processor, one of many that spin does', async (t) => {
  const sleeper = spawn('sleep', ['60'])
  // All on one processor.
  const spin = 'for i in 1 2 3 4; do (while :; do :; done) & done; while :; do :; done'
  const spinner = spawn('taskset', ['-c', '0', 'sh', '-c', spin], { detached: true })
  await Promise.all([once(sleeper, 'spawn'), once(spinner, 'spawn')])
  const before = processorWaitMs(sleeper.pid ?? 0)
  await sleep(2000)
  t.true(processorWaitMs(sleeper.pid ?? 0) - before < 500)
  t.true(processorWaitMs(spinner.pid ?? 0) > 500)
  sleeper.kill('SIGKILL')
  process.kill(-(spinner.pid ?? 0), 'SIGKILL')
  await Promise.all([once(sleeper, 'exit'), once(spinner, 'exit')])
  t.is(processorWaitMs(sleeper.pid ?? 0), 0)
})

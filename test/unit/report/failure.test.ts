import test from 'ava'
import { infraError, usageError } from '../../../src/core/errors.ts'
import { systemError } from '../../../src/effects/files.ts'
import { failureEvent, failureText } from '../../../src/report/failure.ts'

test('a failure says what, what next, and whether trying again can help', (t) => {
  const error = infraError('E_X', 'x is down', { hint: 'start x\nor y', retryable: true })
  t.is(failureText(error), 'fwbuild: x is down [E_X]\n  start x\n  or y\n  Trying again can help.\n')
  t.is(failureText(usageError('E_Y', 'y')), 'fwbuild: y [E_Y]\n')
  t.deepEqual(failureEvent(error), {
    type: 'failure',
    code: 'E_X',
    exitCode: 3,
    message: 'x is down',
    hint: 'start x\nor y',
    retryable: true,
  })
  t.like(failureEvent(new Error('boom')), { code: 'E_INTERNAL', exitCode: 70, message: 'boom' })
  t.regex(failureText(new Error('boom')), /internal error: boom\nError: boom\n.*This is a bug/s)
})

test('what the machine does to files is no bug of fwbuild; anything else stays what it is', (t) => {
  const system = (code: string): Error =>
    Object.assign(new Error(`${code}: write`), { code, syscall: 'write' })
  t.like(systemError(system('ENOSPC')), { code: 'E_DISK_FULL', exitCode: 3, retryable: true })
  t.like(systemError(system('EACCES')), { code: 'E_FILE', exitCode: 3 })
  for (const other of [system('ENOENT'), new Error('x'), 'x', undefined]) t.is(systemError(other), other)
})

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { FwbuildError } from '../../../src/core/errors.ts'
import { prepareOvmf, startMachine } from '../../../src/effects/qemu.ts'

let directory = ''
test.before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fwbuild-qemu-'))
})
test.after.always(() => rm(directory, { recursive: true, force: true }))

test('what a machine says goes to the log and the listener, byte for byte', async (t) => {
  const logPath = join(directory, 'logs/serial.log')
  let heard = ''
  const machine = await startMachine(
    ['sh', '-c', 'read -r line; printf "heard %s\\303\\266" "$line"; echo oh >&2; exit 3'],
    {
      logPath,
      onSerial: (text) => void (heard += text),
    },
  )
  machine.send('you\n')
  t.deepEqual(await machine.exited, { exitCode: 3, stderr: 'oh\n' })
  await machine.stop()
  t.is(heard, 'heard youö')
  t.is(await readFile(logPath, 'utf8'), 'heard youö')
})

test('a log that cannot be written is told, after the machine is gone', async (t) => {
  const heard: { resolve?: () => void } = {}
  const hearing = new Promise<void>((resolve) => (heard.resolve = resolve))
  const machine = await startMachine(['sh', '-c', 'echo hello; exec sleep 60'], {
    logPath: '/dev/full',
    onSerial: () => heard.resolve?.(),
  })
  await hearing
  const error = await t.throwsAsync(machine.stop(), { instanceOf: FwbuildError })
  t.is(error.code, 'E_DISK_FULL')
  t.is((await machine.exited).exitCode, 143)
})

test('a program that is not there leaves nothing open', async (t) => {
  const starting = startMachine(['qemu-system-nowhere'], {
    logPath: join(directory, 'none.log'),
    onSerial: () => {},
  })
  const error = await t.throwsAsync(starting, { instanceOf: FwbuildError })
  t.is(error.code, 'E_PROGRAM_MISSING')
})

test('the first complete pair of firmware files is taken, its variables are copied', async (t) => {
  const [code, vars, copy] = ['code.fd', 'vars.fd', 'copy.fd'].map((name) => join(directory, name))
  if (code === undefined || vars === undefined || copy === undefined) return
  await writeFile(code, 'code')
  await writeFile(vars, 'variables')
  const files = await prepareOvmf(copy, [
    { codePath: code, varsPath: '/nowhere/vars.fd' },
    { codePath: code, varsPath: vars },
  ])
  t.deepEqual(files, { codePath: code, varsPath: copy })
  t.is(await readFile(copy, 'utf8'), 'variables')
})

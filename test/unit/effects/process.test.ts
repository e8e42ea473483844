import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { FwbuildError } from '../../../src/core/errors.ts'
import { runProcess, startProcess } from '../../../src/effects/process.ts'

const isAlive = (pid: number): boolean => {
  try {
    // A zombie still takes signal 0; its state tells.
    return !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

const asFwbuildError = (error: unknown): FwbuildError => {
  if (error instanceof FwbuildError) return error
  throw error
}

test('a non-zero exit is a result with both streams', async (t) => {
  const result = await runProcess(['sh', '-c', 'echo out; echo err >&2; exit 3'])
  t.like(result, { exitCode: 3, stdout: 'out\n', stderr: 'err\n', stdoutTruncated: false })
})

test('arguments are passed as they are, never through a shell', async (t) => {
  const odd = `a b;$(touch /x)"'\n*`
  const result = await runProcess(['printf', '%s', odd])
  t.is(result.stdout, odd)
})

test('lines come whole, CR removed, the unfinished last one too', async (t) => {
  const lines: string[] = []
  await runProcess(['printf', 'one\\r\\ntw\\303\\266\\n\\nlast'], { onLine: (line) => lines.push(line) })
  t.deepEqual(lines, ['one', 'twö', '', 'last'])
})

test('only the end of a long output is kept', async (t) => {
  const result = await runProcess(['seq', '1', '100000'], { tailBytes: 100 })
  t.is(result.stdout.length, 100)
  t.true(result.stdoutTruncated)
  t.true(result.stdout.endsWith('99999\n100000\n'))
})

test('stdin is fed, and a program that does not read it is no error', async (t) => {
  t.is((await runProcess(['cat'], { stdin: 'héllo' })).stdout, 'héllo')
  t.is((await runProcess(['true'], { stdin: 'x'.repeat(1 << 20) })).exitCode, 0)
  t.is((await runProcess(['cat'])).stdout, '')
})

test('a missing program is an infra error that names the Debian package', async (t) => {
  const error = await t.throwsAsync(runProcess(['/nowhere/qemu-img', 'info']), { instanceOf: FwbuildError })
  t.is(error.code, 'E_PROGRAM_MISSING')
  t.is(error.exitCode, 3)
  t.regex(error.hint ?? '', /qemu-utils/)
})

test('a missing working directory is not mistaken for a missing program', async (t) => {
  const error = await t.throwsAsync(runProcess(['true'], { cwd: '/nowhere/at/all' }))
  t.is(asFwbuildError(error).code, 'E_PROCESS_START')
  t.regex(asFwbuildError(error).message, /no such directory/)
})

test('a signal that ends the process shows as 128 + its number', async (t) => {
  t.is((await runProcess(['sh', '-c', 'kill -SEGV $$'])).exitCode, 139)
})

test('abort ends the whole group, also a child that ignores TERM', async (t) => {
  const controller = new AbortController()
  const pids: number[] = []
  const running = runProcess(
    ['sh', '-c', `sh -c 'trap "" TERM; echo $$; while :; do sleep 0.1; done' & wait`],
    {
      signal: controller.signal,
      killGraceMs: 200,
      onLine: (line) => {
        pids.push(Number(line))
        controller.abort()
      },
    },
  )
  const error = await t.throwsAsync(running)
  t.is(asFwbuildError(error).exitCode, 130)
  t.is(pids.length, 1)
  await sleep(50)
  t.false(isAlive(pids[0] ?? 0))
})

test('an aborted signal starts nothing', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'fwbuild-process-'))
  t.teardown(() => rm(directory, { recursive: true }))
  const made = join(directory, 'made')
  await t.throwsAsync(runProcess(['touch', made], { signal: AbortSignal.abort() }), {
    message: 'interrupted',
  })
  t.false(existsSync(made))
})

test('a time-out ends the process and says so', async (t) => {
  const error = await t.throwsAsync(runProcess(['sleep', '60'], { timeoutMs: 100 }))
  t.is(asFwbuildError(error).code, 'E_PROCESS_TIMEOUT')
  t.regex(asFwbuildError(error).message, /sleep did not end within 0.1 s/)
})

test('a started process is talked to and stopped', async (t) => {
  const cat = await startProcess(['cat'])
  cat.writeStdin('ping')
  const [chunk] = (await cat.stdout.take(1).toArray()) as [Buffer]
  t.is(chunk.toString(), 'ping')
  await cat.stop()
  t.false(isAlive(cat.pid))
  t.is(await cat.done, 143)
})

const asRoot = process.getuid?.() === 0 ? test : test.skip
const nobody = { uid: 61_000, gid: 61_000 }

asRoot(
  'a program steps down for good, sees nothing of our environment, and uses what it is handed',
  async (t) => {
    const closed = await mkdtemp(join(tmpdir(), 'fwbuild-closed-'))
    t.teardown(() => rm(closed, { recursive: true, force: true }))
    await writeFile(join(closed, 'file'), 'handed', { mode: 0o644 })
    const file = await open(join(closed, 'file'))
    process.env['FWBUILD_TEST_SECRET'] = 'secret'
    const script = 'id -u; id -G; grep NoNewPrivs /proc/self/status; cat /dev/fd/3 <&3; echo; env; cat "$0"'
    const argv = ['sh', '-c', script, join(closed, 'file')]
    const { stdout, stderr, exitCode } = await runProcess(argv, {
      as: nobody,
      groups: [61_007],
      files: [file.fd],
    })
    delete process.env['FWBUILD_TEST_SECRET']
    await file.close()
    t.regex(stdout, /^61000\n61000 61007\nNoNewPrivs:\t1\nhanded\n/)
    t.notRegex(stdout, /secret/)
    t.regex(stderr, /Permission denied/)
    t.is(exitCode, 1)
  },
)

asRoot('what steps down dies with its parent too, and is not started without setpriv', async (t) => {
  const running = await startProcess(['sh', '-c', 'echo up; exec sleep 60'], {
    as: nobody,
    dieWithParent: true,
  })
  await once(running.stdout, 'data')
  t.regex(readFileSync(`/proc/${running.pid}/status`, 'utf8'), /^Uid:\t61000/m)
  await running.stop()
  t.false(isAlive(running.pid))
  const env = { PATH: '/nonexistent' }
  const error = asFwbuildError(await t.throwsAsync(runProcess(['/bin/true'], { as: nobody, env })))
  t.is(error.code, 'E_PROGRAM_MISSING')
  t.regex(error.message, /setpriv/)
  const unset = asFwbuildError(await t.throwsAsync(runProcess(['id'], { as: nobody, env: {} })))
  t.regex(unset.message, /^id is not installed/)
})

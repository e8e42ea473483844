import { spawn, spawnSync, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { chown, mkdir, mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, type Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { connectDocker } from '../../../src/effects/docker/client.ts'
import { dockerEngine } from '../../../src/effects/docker-engine.ts'
import type { Engine, ExecOptions, Session, SessionSpec } from '../../../src/effects/engine.ts'
import { busyboxImage, makeBusyboxImage, needBusybox } from '../../helpers/busybox-image.ts'
import { needDocker, testWith } from '../../helpers/need.ts'

const needs = [needDocker(), needBusybox()]
const user = { uid: 61_234, gid: 61_235 }
const never = new AbortController().signal

test.before(async () => {
  if (needs.every((need) => need.present)) await makeBusyboxImage()
})

const engine = async (): Promise<Engine> => dockerEngine((await connectDocker(process.env, never)).docker)

interface Bench {
  readonly session: Session
  readonly work: string
  readonly spec: SessionSpec
  /** Runs a shell line; returns exit code and standard output. */
  readonly sh: (
    script: string,
    options?: Partial<ExecOptions>,
  ) => Promise<{ exitCode: number; out: string; err: string }>
}

/** A session on a work directory of its own, which the build user owns. */
async function withSession(body: (bench: Bench) => Promise<void>): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), 'fwbuild-engine-'))
  await chown(work, user.uid, user.gid).catch(() => {})
  const spec: SessionSpec = {
    image: busyboxImage,
    mounts: [{ source: join(work, 'tree'), target: '/build' }],
    env: { FROM_SESSION: 'yes' },
    user,
    workDir: work,
    title: 'engine-test',
  }
  try {
    await using session = await (await engine()).open(spec, never)
    await body({
      session,
      work,
      spec,
      sh: async (script, options = {}) => {
        const lines = { out: '', err: '' }
        const { exitCode } = await session.exec(['sh', '-c', script], {
          cwd: join(work, 'tree'),
          signal: never,
          onLine: (line, stream) => void (lines[stream] += `${line}\n`),
          ...options,
        })
        return { exitCode, ...lines }
      },
    })
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

function containersOf(workDir: string): string[] {
  const args = ['ps', '-aq', '--filter', `label=fwbuild.workdir=${workDir}`]
  return spawnSync('docker', args, { encoding: 'utf8' }).stdout.split('\n').filter(Boolean)
}

testWith(needs, 'exec streams both outputs by line and returns the exit code', async (t) => {
  await withSession(async ({ sh, session, work }) => {
    const result = await sh('echo one; echo two >&2; printf three; exit 7')
    t.deepEqual(result, { exitCode: 7, out: 'one\nthree\n', err: 'two\n' })
    const big = await sh('seq 1 200000')
    t.is(big.out.split('\n').length, 200_001)
    t.true(big.out.endsWith('199999\n200000\n'))
    t.is((await sh('kill -9 $$')).exitCode, 137)
    t.is((await sh('cat; echo stdin ended')).out, 'stdin ended\n')
    t.is((await sh('echo $FROM_SESSION $FROM_EXEC', { env: { FROM_EXEC: 'too' } })).out, 'yes too\n')
    t.is(session.inside(join(work, 'tree/a/b')), '/build/a/b')
    t.is((await sh('pwd')).out, '/build\n')
    await t.throwsAsync(session.exec(['no-such-program'], { cwd: join(work, 'tree'), signal: never }), {
      message: /no-such-program/,
    })
  })
})

testWith(
  needs,
  'a build runs as the given user, with an account and a home, without any privilege',
  async (t) => {
    await withSession(async ({ sh, work }) => {
      t.is((await sh('id -u; id -g; id -un; hostname; umask')).out, '61234\n61235\nfwbuild\nfwbuild\n0022\n')
      t.is((await sh('touch ~/file /tmp/file && echo $HOME')).out, '/home/fwbuild\n')
      t.is((await sh('printf "#!/bin/sh\\necho ran\\n" >/tmp/x; chmod +x /tmp/x; /tmp/x')).out, 'ran\n')
      const { out } = await sh('grep -E "^(Cap(Eff|Prm|Bnd|Amb)|NoNewPrivs)" /proc/self/status')
      t.regex(out, /^NoNewPrivs:\t1$/m)
      for (const name of ['CapEff', 'CapPrm', 'CapBnd', 'CapAmb'])
        t.regex(out, new RegExp(`^${name}:\\t0+$`, 'm'))
      await sh('echo hello >made')
      const made = await stat(join(work, 'tree/made'))
      t.deepEqual([made.uid, made.gid], [user.uid, user.gid])
    })
  },
)

testWith(needs, 'there is a network only while an online command runs', async (t) => {
  await withSession(async ({ sh }) => {
    const interfaces = 'ls /sys/class/net; ip route'
    t.is((await sh(interfaces)).out, 'lo\n')
    const online = await sh(interfaces, { network: 'online' })
    t.regex(online.out, /^eth/m)
    t.regex(online.out, /^default via/m)
    t.is((await sh(interfaces)).out, 'lo\n')
    // Two at once share it; it is gone after the later one.
    const [long, short] = await Promise.all([
      sh('sleep 1; ip route', { network: 'online' }),
      sh('ip route', { network: 'online' }),
    ])
    t.regex(short.out, /^default/m)
    t.regex(long.out, /^default/m)
    t.is((await sh(interfaces)).out, 'lo\n')
    // A command that fails or is stopped gives the network back too.
    t.is((await sh('exit 3', { network: 'online' })).exitCode, 3)
    await t.throwsAsync(sh('sleep 60', { network: 'online', signal: AbortSignal.timeout(300) }), {
      message: /interrupt/,
    })
    t.is((await sh(interfaces)).out, 'lo\n')
  })
})

// Listed before it is searched: a grep that is just being started would be seen as one process more.
const survivors = 'list=$(ps -o pid,args); echo "$list" | grep -v -E "PID|init| cat$|ps -o"; true'

testWith(needs, 'aborting stops the whole tree, also what hides in sessions of its own', async (t) => {
  await withSession(async ({ sh }) => {
    const controller = new AbortController()
    const script = [
      'trap "" TERM',
      'sleep 1001 & setsid sleep 1002 & env -i sleep 1003 &',
      '(trap "" TERM; setsid sh -c "sleep 1004 & sleep 1005 & wait") &',
      'echo up; wait; wait; sleep 1006',
    ].join('\n')
    const started = performance.now()
    await t.throwsAsync(
      sh(script, {
        signal: controller.signal,
        onLine: () => void setTimeout(() => controller.abort(), 300),
      }),
      { message: /interrupt/ },
    )
    t.true(performance.now() - started < 40_000)
    t.is((await sh(survivors)).out, '')
    t.is((await sh('echo still usable')).out, 'still usable\n')
  })
})

testWith(needs, 'a time limit stops the tree and says so', async (t) => {
  await withSession(async ({ sh }) => {
    await t.throwsAsync(sh('sleep 1000 & sleep 1000', { timeoutMs: 300 }), {
      message: /did not end within 0.3 s/,
    })
    t.is((await sh(survivors)).out, '')
  })
})

testWith(needs, 'an abort as early as possible leaves nothing', async (t) => {
  await withSession(async ({ sh, session, work }) => {
    for (const delayMs of [0, 5, 10, 20, 40, 80]) {
      await t.throwsAsync(sh('sleep 1000', { signal: AbortSignal.timeout(delayMs) }))
    }
    const aborted = { cwd: join(work, 'tree'), signal: AbortSignal.abort() }
    await t.throwsAsync(session.exec(['touch', 'ran'], aborted), { message: /interrupt/ })
    t.is((await sh(survivors)).out, '')
    t.is((await sh('ls')).out, '')
  })
})

testWith(needs, 'an interactive command has a terminal and gives its exit code', async (t) => {
  await withSession(async ({ session, work }) => {
    const input = new PassThrough()
    const output = Object.assign(new PassThrough(), { columns: 91, rows: 33 })
    const code = session.interactive(
      ['sh', '-c', 'read line; echo "got $line"; test -t 0; exit $?5'],
      work + '/tree',
      {
        input: input as unknown as NodeJS.ReadStream,
        output,
      },
    )
    input.write('typed\n')
    t.is(await code, 5)
    t.regex(String(output.read()), /got typed/)
  })
})

testWith(needs, 'a session is gone after it was left, also by an error', async (t) => {
  let work = ''
  await t.throwsAsync(
    withSession((bench) => {
      work = bench.work
      t.is(containersOf(work).length, 1)
      return Promise.reject(new Error('left'))
    }),
    { message: 'left' },
  )
  t.deepEqual(containersOf(work), [])
})

testWith(needs, 'a container that is taken away under a command is not a failed command', async (t) => {
  await withSession(async ({ sh, work }) => {
    const [id = ''] = containersOf(work)
    const remove = (): void => void spawnSync('docker', ['rm', '-f', id])
    const error = await t.throwsAsync<Error & { exitCode?: number }>(
      sh('echo up; sleep 60', { onLine: remove }),
    )
    t.is(error.exitCode, 3)
    t.regex(error.message, /was stopped or removed while/)
    await t.throwsAsync(sh('true'), { message: /was stopped or removed while/ })
    await t.throwsAsync(sh('true', { network: 'online' }), {
      message: /cannot be given a network/,
    })
  })
})

testWith(
  needs,
  'opening fails cleanly: unknown image, interrupted, a mount that is a dead end',
  async (t) => {
    const work = await mkdtemp(join(tmpdir(), 'fwbuild-engine-'))
    const spec = { image: 'fwbuild-test:none', mounts: [], env: {}, user, workDir: work, title: 'x' }
    const docker = await engine()
    await t.throwsAsync(docker.open(spec, never), { message: /fwbuild-test:none is not known to Docker/ })
    await t.throwsAsync(docker.open({ ...spec, image: busyboxImage }, AbortSignal.abort()), {
      message: /interrupt/,
    })
    const bad = { ...spec, image: busyboxImage, mounts: [{ source: work, target: '/proc/nope' }] }
    await t.throwsAsync(docker.open(bad, never), { message: /the build container cannot be started/ })
    t.deepEqual(containersOf(work), [])
    await rm(work, { recursive: true })
  },
)

/** The child of test/helpers with a session on the work directory, once a command runs in it. */
async function childWithSession(work: string): Promise<ChildProcessByStdio<null, Readable, null>> {
  await mkdir(join(work, 'tree'))
  const script = new URL('../../helpers/engine-child.js', import.meta.url).pathname
  const child = spawn(process.execPath, [script, work, busyboxImage], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  return child
}

async function untilGone(work: string): Promise<void> {
  for (let looks = 0; looks < 300 && containersOf(work).length > 0; looks += 1) await sleep(100)
}

testWith(needs, 'a container ends with the process that opened it, also when that is killed', async (t) => {
  const work = await mkdtemp(join(tmpdir(), 'fwbuild-engine-'))
  const child = await childWithSession(work)
  t.is(containersOf(work).length, 1)
  // Stopped is not dead: a build that was put aside goes on.
  child.kill('SIGSTOP')
  await sleep(1000)
  t.is(containersOf(work).length, 1)
  child.kill('SIGKILL')
  await once(child, 'exit')
  await untilGone(work)
  t.deepEqual(containersOf(work), [])
  const before = await readFile(join(work, 'tree/beat'), 'utf8')
  await sleep(400)
  t.is(await readFile(join(work, 'tree/beat'), 'utf8'), before)
  await rm(work, { recursive: true })
})

testWith(
  needs,
  'a lifeline that breaks is told as a container that is gone, not as a failed command',
  async (t) => {
    const work = await mkdtemp(join(tmpdir(), 'fwbuild-engine-'))
    const lifelines: Socket[] = []
    const daemon = (process.env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock').replace('unix://', '')
    const relay = createServer((client) => {
      const upstream = connect(daemon)
      client.on('data', (head) => {
        if (/^POST \S*\/attach\?/.test(head.toString())) lifelines.push(client)
      })
      client.pipe(upstream).pipe(client)
      for (const [one, other] of [
        [client, upstream],
        [upstream, client],
      ] as const)
        one.on('error', () => other.destroy()).on('close', () => other.destroy())
    })
    relay.listen(join(work, 'relay'))
    await once(relay, 'listening')
    try {
      const { docker } = await connectDocker({ DOCKER_HOST: `unix://${join(work, 'relay')}` }, never)
      const spec = { image: busyboxImage, mounts: [], env: {}, user, workDir: work, title: 'lifeline' }
      await using session = await dockerEngine(docker).open(
        { ...spec, mounts: [{ source: work, target: '/build' }] },
        never,
      )
      t.is(lifelines.length, 1)
      const error = await t.throwsAsync<Error & { retryable?: boolean }>(
        session.exec(['sh', '-c', 'echo up; sleep 60'], {
          cwd: work,
          signal: never,
          onLine: () => void lifelines[0]?.destroy(),
        }),
      )
      t.regex(error.message, /was stopped or removed while/)
      t.true(error.retryable)
    } finally {
      relay.close()
    }
    t.deepEqual(containersOf(work), [])
    await rm(work, { recursive: true })
  },
)

testWith(
  needs,
  'what a killed run leaves is found by its work directory and removed by the next',
  async (t) => {
    const work = await mkdtemp(join(tmpdir(), 'fwbuild-engine-'))
    const other = await mkdtemp(join(tmpdir(), 'fwbuild-engine-'))
    // What is left of a run that was killed before its container started, and of one whose container goes on.
    for (const words of [['create'], ['run', '-d']]) {
      const label = ['--label', `fwbuild.workdir=${work}`]
      t.is(spawnSync('docker', [...words, ...label, busyboxImage, 'sleep', '1000']).status, 0)
    }
    const docker = await engine()
    t.deepEqual(await docker.sweep(other, never), [])
    t.is(containersOf(work).length, 2)
    t.is((await docker.sweep(work, never)).length, 2)
    t.deepEqual(containersOf(work), [])
    t.deepEqual(await docker.sweep(work, never), [])
    await rm(work, { recursive: true })
    await rm(other, { recursive: true })
  },
)

const noDocker = async (t: ExecutionContext, env: Record<string, string>, message: RegExp): Promise<void> => {
  const error = await t.throwsAsync<Error & { hint?: string; exitCode?: number }>(connectDocker(env, never))
  t.regex(error.message, message)
  t.regex(error.hint ?? '', /--install-missing/)
  t.regex(error.hint ?? '', /--engine host/)
  t.is(error.exitCode, 3)
}

test('a daemon that does not answer is named with a way on', async (t) => {
  await noDocker(
    t,
    { DOCKER_HOST: 'unix:///nonexistent/docker.sock' },
    /unix:\/\/\/nonexistent\/docker.sock: ENOENT/,
  )
  await noDocker(t, { DOCKER_HOST: 'tcp://127.0.0.1:9' }, /tcp:\/\/127.0.0.1:9: ECONNREFUSED/)
  const error = await t.throwsAsync<Error & { exitCode?: number }>(
    connectDocker({ DOCKER_HOST: 'ssh://x' }, never),
  )
  t.is(error.exitCode, 2)
})

testWith(
  needs,
  'a session has so much memory, so many processes and so large a /tmp, and says when one is used up',
  async (t) => {
    const work = await mkdtemp(join(tmpdir(), 'fwbuild-limits-'))
    t.teardown(() => rm(work, { recursive: true, force: true }))
    const notes: string[] = []
    const limits = { memoryBytes: 96 << 20, pids: 60, asked: true }
    await using session = await (
      await engine()
    ).open(
      {
        image: busyboxImage,
        mounts: [{ source: join(work, 'tree'), target: '/build' }],
        env: {},
        user,
        workDir: work,
        title: 'limits-test',
        limits,
        note: (text) => notes.push(text),
      },
      never,
    )
    let out = ''
    const run = (script: string) =>
      session.exec(['sh', '-c', script], {
        cwd: join(work, 'tree'),
        signal: never,
        onLine: (line) => void (out += `${line}\n`),
      })
    t.is((await run('df -k /tmp')).exitCode, 0)
    t.regex(out, /\s49152\s/)
    if (notes.length > 0) return t.log(notes.join(' '))
    await t.throwsAsync(run('awk \'BEGIN { x = "a"; while (1) x = x x }\''), { code: 'E_OUT_OF_MEMORY' })
    await t.throwsAsync(run('i=0; while [ $i -lt 80 ]; do sleep 2 & i=$((i+1)); done; wait'), {
      code: 'E_OUT_OF_PROCESSES',
    })
    // What was used up before is no excuse for what fails after.
    t.is((await run('exit 7')).exitCode, 7)
  },
)

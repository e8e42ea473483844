import { chmod, chown, lchown, mkdir, mkdtemp, readdir, rm, stat, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { buildUser } from '../../../src/effects/build-user.ts'
import type { ExecOptions, Session } from '../../../src/effects/engine.ts'
import { hostEngine } from '../../../src/effects/host-engine.ts'
import { temporaryDirectory } from '../../helpers/temporary.ts'

const never = new AbortController().signal
const user = buildUser(process.env)
/** Only root builds as another user. */
const asRoot = process.getuid?.() === 0 ? test : test.skip

interface Bench {
  readonly session: Session
  readonly work: string
  readonly sh: (script: string, options?: Partial<ExecOptions>) => Promise<{ exitCode: number; out: string }>
}

async function withSession(body: (bench: Bench) => Promise<void>): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), 'fwbuild-host-'))
  await chown(work, user.uid, user.gid)
  const tree = join(work, 'tree')
  try {
    await using session = await hostEngine(process.env).open(
      {
        image: '',
        mounts: [{ source: tree, target: tree }],
        env: { FROM_SESSION: 'yes' },
        user,
        workDir: work,
        title: 'host-test',
      },
      never,
    )
    await body({
      session,
      work,
      sh: async (script, options = {}) => {
        let out = ''
        const { exitCode } = await session.exec(['sh', '-c', script], {
          cwd: tree,
          signal: never,
          onLine: (line) => void (out += `${line}\n`),
          ...options,
        })
        return { exitCode, out }
      },
    })
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

test('the host engine runs commands as the build user, never as root', async (t) => {
  await withSession(async ({ sh, work, session }) => {
    t.is((await sh('id -u; id -g; umask')).out, `${user.uid}\n${user.gid}\n0022\n`)
    t.not(user.uid, 0)
    t.is((await sh('cat; echo $FROM_SESSION; exit 7')).exitCode, 7)
    t.is((await sh('touch ~/x made; echo $HOME')).out, `${join(work, 'home')}\n`)
    t.is((await stat(join(work, 'tree/made'))).uid, user.uid)
    t.is(session.inside('/a/b'), '/a/b')
  })
})

test('aborting on the host stops what left the process group too', async (t) => {
  await withSession(async ({ sh }) => {
    const controller = new AbortController()
    const script = 'trap "" TERM; setsid sleep 7001 & (setsid sh -c "sleep 7002; true" &) ; echo up; wait'
    await t.throwsAsync(sh(script, { signal: controller.signal, onLine: () => controller.abort() }), {
      message: /interrupt/,
    })
    t.is((await sh('ps -eo args | grep -E "sleep 700[12]" | grep -v -E "grep|ps -eo"')).out, '')
    await t.throwsAsync(sh('setsid sleep 7003 & wait', { timeoutMs: 200 }), { message: /did not end/ })
    t.is((await sh('ps -eo args | grep "sleep 7003" | grep -v -E "grep|ps -eo"')).out, '')
  })
})

test('what a killed run left running on the host is found by the work directory', async (t) => {
  await withSession(async ({ sh, work }) => {
    await sh('(setsid sleep 7100 >/dev/null 2>&1 &)')
    const engine = hostEngine(process.env)
    t.deepEqual(await engine.sweep(join(work, 'tree'), never), [])
    await sleep(100)
    const swept = await engine.sweep(work, never)
    t.is(swept.length, 1)
    t.regex(swept[0] ?? '', /^process \d+ \(sleep 7100\)$/)
    t.deepEqual(await engine.sweep(work, never), [])
  })
})

asRoot('root’s work directory below one that is closed to others: said before anything runs', async (t) => {
  const closed = await temporaryDirectory(t)
  await chmod(closed, 0o700)
  const work = join(closed, 'work')
  const spec = {
    image: '',
    mounts: [{ source: join(work, 'tree'), target: '/build/tree' }],
    env: {},
    user: { uid: 61_000, gid: 61_000 },
    workDir: work,
    title: 'test',
  }
  const error = await t.throwsAsync(hostEngine(process.env).open(spec, never), { code: 'E_BUILD_USER' })
  t.regex(error?.message ?? '', /runs as uid 61000, but it cannot enter .*work\/tree/)
})

asRoot(
  'folders above those that builds write to are root’s again, and a build’s link there is not followed',
  async (t) => {
    const work = await temporaryDirectory(t)
    const builder = { uid: 61_000, gid: 61_000 }
    const spec = {
      image: '',
      mounts: [{ source: join(work, 'trees/x'), target: '/build/tree' }],
      env: {},
      user: builder,
      workDir: work,
      title: 'test',
    }
    await mkdir(join(work, 'trees'))
    await chown(join(work, 'trees'), builder.uid, builder.gid)
    await using _session = await hostEngine(process.env).open(spec, never)
    t.is((await stat(join(work, 'trees'))).uid, 0)
    t.is((await stat(join(work, 'trees/x'))).uid, builder.uid)
    const outside = await temporaryDirectory(t)
    await rm(join(work, 'trees'), { recursive: true })
    await symlink(outside, join(work, 'trees'))
    await lchown(join(work, 'trees'), builder.uid, builder.gid)
    await t.throwsAsync(hostEngine(process.env).open(spec, never), { code: 'E_UNSAFE_PATH' })
    t.deepEqual(await readdir(outside), [])
  },
)

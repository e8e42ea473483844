import { chown, mkdir } from 'node:fs/promises'
import type { ExecutionContext } from 'ava'
import { buildUser } from '../../src/effects/build-user.ts'
import type { Session } from '../../src/effects/engine.ts'
import { hostEngine } from '../../src/effects/host-engine.ts'

export const sessionUser = buildUser(process.env)
export const never = new AbortController().signal

/** A session of the host engine on a directory of the test's own. */
export async function hostSession(t: ExecutionContext, work: string): Promise<Session> {
  await mkdir(work, { recursive: true })
  if (process.getuid?.() === 0) await chown(work, sessionUser.uid, sessionUser.gid)
  const session = await hostEngine(process.env).open(
    {
      image: '',
      mounts: [{ source: work, target: work }],
      env: {},
      user: sessionUser,
      workDir: work,
      title: 'test',
    },
    never,
  )
  t.teardown(() => session[Symbol.asyncDispose]())
  return session
}

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { BuildUser } from './engine.ts'

type Env = Readonly<Record<string, string | undefined>>

export interface StartRights {
  /**
   * Where root runs fwbuild: who runs the program, in no other groups, without a way back (no_new_privs of
   * prctl(2)) and without our environment. Other callers' programs run as themselves.
   */
  readonly as?: BuildUser
  /** Groups beside the user's own, for instance that of a device. */
  readonly groups?: readonly number[]
  /** The process is killed by the kernel when fwbuild itself dies, also from SIGKILL. */
  readonly dieWithParent?: boolean
}

/** Whether a program that is to run as a user will really run as somebody else than fwbuild. */
export const stepsDown = (as: BuildUser | undefined): as is BuildUser =>
  as !== undefined && process.getuid?.() === 0

/**
 * The words that start a program with these rights. setpriv(1) becomes the program, so the process is one.
 * @returns which of the two is missing, where a program that has to step down can't be started so
 */
export function withRights(
  argv: readonly string[],
  env: Env,
  rights: StartRights,
): readonly string[] | { readonly missing: string } {
  const [program = ''] = argv
  const down = stepsDown(rights.as) ? userWords(rights.as, rights.groups ?? []) : []
  const words = [...down, ...(rights.dieWithParent === true ? ['--pdeathsig', 'KILL'] : [])]
  if (words.length === 0) return argv
  const missing = [program, 'setpriv'].find((each) => !isOnPath(each, env))
  if (missing === undefined) return ['setpriv', ...words, '--', ...argv]
  // Without the death signal a program is started as it is; its own failure says that it is missing.
  return down.length === 0 ? argv : { missing }
}

function userWords({ uid, gid }: BuildUser, groups: readonly number[]): readonly string[] {
  const others = groups.length === 0 ? '--clear-groups' : `--groups=${groups.join(',')}`
  return [`--reuid=${uid}`, `--regid=${gid}`, others, '--no-new-privs']
}

/** What a program that steps down sees of root's environment, which may hold secrets. */
export const environmentFor = (rights: StartRights): Record<string, string | undefined> =>
  stepsDown(rights.as) ? { PATH: process.env['PATH'], LC_ALL: 'C.UTF-8' } : process.env

const isOnPath = (program: string, env: Env): boolean =>
  program.includes('/')
    ? existsSync(program)
    : (env['PATH'] ?? '').split(':').some((directory) => existsSync(join(directory, program)))

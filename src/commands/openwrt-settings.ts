import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import { messageOf, usageError } from '../core/errors.ts'
import { parseLockfile, type Lockfile } from '../core/spec/lockfile.ts'
import { openwrtSpec } from '../core/spec/openwrt-spec.ts'
import type { OpenwrtLayer } from '../core/spec/options.ts'
import { buildUser } from '../effects/build-user.ts'
import { chooseEngine } from '../pipeline/lazy-engine.ts'
import { buildrootInputs, ensureBuildroot, type BuildrootWish } from '../pipeline/openwrt/buildroot.ts'
import type { OpenwrtSettings } from '../pipeline/openwrt/context.ts'
import { workDirOf, type RunFlags } from './build-options.ts'
import type { Io } from './io.ts'
import { projectDir } from './project.ts'

/** Everything a build needs to know, from all layers of options. */
export async function openwrtSettings(
  layers: readonly OpenwrtLayer[],
  run: Pick<RunFlags, 'lock'> | 'unpinned',
  io: Io,
): Promise<OpenwrtSettings> {
  const pick = <K extends keyof OpenwrtLayer>(key: K): OpenwrtLayer[K] =>
    layers.find((layer) => layer[key] !== undefined)?.[key]
  const spec = openwrtSpec(layers)
  const work = workDirOf(layers, io.env)
  const offline = pick('offline') ?? false
  const wish: BuildrootWish = {
    projectDir,
    workDir: work,
    suites: spec.release.suites,
    mirror: pick('mirror'),
    offline,
    env: io.env,
    signal: io.signal,
  }
  const engine = pick('engine') ?? 'docker'
  return {
    spec,
    paths: {
      project: projectDir,
      work,
      output: pick('output') ?? resolve(io.cwd, 'out', spec.release.name),
      dl: pick('dl') ?? join(work, 'dl'),
    },
    engine: chooseEngine(engine, io.env),
    env: io.env,
    user: buildUser(io.env),
    jobs: pick('jobs') ?? availableParallelism(),
    offline,
    lock: run === 'unpinned' ? undefined : await readLock(run.lock, spec.release.name, io),
    buildrootInputs: engine === 'host' ? { engine } : await buildrootInputs(wish),
    ensureBuildroot: (tell) =>
      engine === 'host'
        ? Promise.resolve({ image: 'host', id: 'host', notes: [] })
        : ensureBuildroot(wish, tell),
  }
}

async function readLock(given: string | undefined, release: string, io: Io): Promise<Lockfile | undefined> {
  const path = resolve(io.cwd, given ?? 'fwbuild.lock')
  if (given === undefined && !existsSync(path)) return undefined
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    throw usageError('E_LOCK_UNREADABLE', `${path} cannot be read: ${messageOf(cause)}`, {
      cause,
      hint: 'check --lock',
    })
  }
  const lock = parseLockfile(text, given ?? 'fwbuild.lock')
  if (lock.release === release) return lock
  // One that just lies in the current directory is for builds of its own release.
  if (given === undefined) return undefined
  throw usageError('E_LOCK_RELEASE', `${given} pins release ${lock.release}, not ${release}`, {
    hint: `add --release ${lock.release}, or name another lock file`,
  })
}

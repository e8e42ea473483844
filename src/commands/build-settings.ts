import { availableParallelism, totalmem } from 'node:os'
import { join, resolve } from 'node:path'
import { memoryBytes, usualMemoryBytes, usualPids } from '../core/spec/memory-size.ts'
import type { CommonLayer } from '../core/spec/options.ts'
import { buildUser } from '../effects/build-user.ts'
import { buildrootInputs, ensureBuildroot, type BuildrootWish } from '../pipeline/buildroot.ts'
import type { BuildSettings } from '../pipeline/build-settings.ts'
import { chooseEngine } from '../pipeline/lazy-engine.ts'
import type { Io } from './io.ts'
import { workDirOf } from './option-layers.ts'
import { projectDir } from './project.ts'

/**
 * What every build needs to know of the machine and of how it runs, from all layers of options.
 * @param build its name (folder below ./out) and the Debian suites its buildroot may be made of
 */
export async function buildSettings(
  layers: readonly CommonLayer[],
  build: { readonly name: string; readonly suites: readonly string[] },
  io: Io,
): Promise<BuildSettings> {
  const pick = <K extends keyof CommonLayer>(key: K): CommonLayer[K] =>
    layers.find((layer) => layer[key] !== undefined)?.[key]
  const work = workDirOf(layers, io.env)
  const offline = pick('offline') ?? false
  const wish: BuildrootWish = {
    projectDir,
    workDir: work,
    suites: build.suites,
    mirror: pick('mirror'),
    offline,
    env: io.env,
    signal: io.signal,
  }
  const engine = pick('engine') ?? 'docker'
  const jobs = pick('jobs') ?? availableParallelism()
  const [memory, pids] = [pick('memory'), pick('pids')]
  return {
    paths: {
      project: projectDir,
      work,
      output: pick('output') ?? resolve(io.cwd, 'out', build.name),
      dl: pick('dl') ?? join(work, 'dl'),
    },
    engine: chooseEngine(engine, io.env),
    env: io.env,
    user: buildUser(io.env),
    jobs,
    limits: {
      memoryBytes: (memory === undefined ? undefined : memoryBytes(memory)) ?? usualMemoryBytes(totalmem()),
      pids: pids ?? usualPids(jobs),
      asked: memory !== undefined || pids !== undefined,
    },
    offline,
    mirror: pick('mirror'),
    buildrootInputs: engine === 'host' ? { engine } : await buildrootInputs(wish),
    ensureBuildroot: (tell) =>
      engine === 'host'
        ? Promise.resolve({ image: 'host', id: 'host', notes: [] })
        : ensureBuildroot(wish, tell),
  }
}

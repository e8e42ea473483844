import { connectDocker } from '../effects/docker/client.ts'
import { dockerEngine } from '../effects/docker-engine.ts'
import type { Engine } from '../effects/engine.ts'
import { hostEngine } from '../effects/host-engine.ts'

type Env = Readonly<Record<string, string | undefined>>

/** The engine a build asks for; Docker is only looked for when a step really needs it. */
export function chooseEngine(kind: Engine['kind'], env: Env): Engine {
  if (kind === 'host') return hostEngine(env)
  const connected = async (signal: AbortSignal): Promise<Engine> =>
    dockerEngine((await connectDocker(env, signal)).docker)
  return {
    kind,
    require: async (signal) => (await connected(signal)).require(signal),
    sweep: async (workDir, signal) => (await connected(signal)).sweep(workDir, signal),
    open: async (spec, signal) => (await connected(signal)).open(spec, signal),
  }
}

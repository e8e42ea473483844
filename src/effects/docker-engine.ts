import { realpath } from 'node:fs/promises'
import type Docker from 'dockerode'
import { infraError } from '../core/errors.ts'
import { daemonTraits, dockerError, type DaemonTraits } from './docker/client.ts'
import { labels, openSession, removeContainer } from './docker/session.ts'
import type { Engine, SessionSpec } from './engine.ts'
import { makeMountSources } from './mounts.ts'

/** Runs builds in containers of a Docker daemon, or of Podman's Docker-compatible socket. */
export function dockerEngine(docker: Docker): Engine {
  return {
    kind: 'docker',
    require: async (signal) => void usernsMode(await daemonTraits(docker, signal)),
    sweep: async (workDir, signal) => {
      try {
        const found = await docker.listContainers({
          all: true,
          filters: { label: [`${labels.workDir}=${await workDirLabel(workDir)}`] },
          abortSignal: signal,
        })
        for (const { Id } of found) await removeContainer(docker.getContainer(Id))
        return found.map(({ Id, Names }) => Names[0]?.replace(/^\//, '') ?? Id.slice(0, 12)).sort()
      } catch (error) {
        throw dockerError('containers of an earlier run cannot be looked for', error, signal)
      }
    },
    open: async (spec, signal) => {
      const traits = await daemonTraits(docker, signal)
      const userns = usernsMode(traits)
      await makeMountSources(spec)
      tellLimits(spec, traits)
      const kept = { ...spec, workDir: await workDirLabel(spec.workDir) }
      return openSession(docker, kept, { ...traits, userns }, signal)
    },
  }
}

function tellLimits({ limits, note }: SessionSpec, { limitsMemory, limitsPids }: DaemonTraits): void {
  if (limits === undefined || note === undefined) return
  const missing = [...(limitsMemory ? [] : ['memory']), ...(limitsPids ? [] : ['processes'])]
  if (missing.length > 0)
    note(
      `this container engine can’t limit ${missing.join(' and ')} (no cgroup controller): the build has no limit`,
    )
}

/** The same directory has to give the same label by whichever link it was named. */
const workDirLabel = (workDir: string): Promise<string> => realpath(workDir).catch(() => workDir)

/**
 * A rootless daemon maps the caller to uid 0 inside, and buildroots refuse to run as that; every other uid
 * cannot write the caller's files. Podman can keep the uid, Docker cannot.
 */
function usernsMode({ podman, rootless }: DaemonTraits): 'keep-id' | undefined {
  if (!rootless) return undefined
  if (podman) return 'keep-id'
  throw infraError('E_DOCKER_ROOTLESS', 'a rootless Docker daemon cannot give a build its own files', {
    hint: 'Use a daemon that runs as root (DOCKER_HOST), Podman, or --engine host.',
  })
}

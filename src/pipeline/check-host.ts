import { constants } from 'node:fs'
import { access, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { FwbuildError } from '../core/errors.ts'
import {
  askedPrograms,
  assessHost,
  type Finding,
  type HostFacts,
  type HostJob,
} from '../core/host/requirements.ts'
import { connectDocker } from '../effects/docker/client.ts'
import { freeDiskBytes } from '../effects/files.ts'
import { runProcess } from '../effects/process.ts'
import { findOvmf, kvmAvailable } from '../effects/qemu.ts'

type Env = Readonly<Record<string, string | undefined>>

/** Administrators' directories are not on everybody's PATH, and what is there can be started through sudo. */
const systemDirectories = ['/usr/local/sbin', '/usr/sbin', '/sbin'] as const

/** Looks at this machine and judges it for some jobs; nothing is changed. */
export async function checkHost(
  jobs: readonly HostJob[],
  context: { readonly env: Env; readonly workDir: string; readonly signal: AbortSignal },
): Promise<readonly Finding[]> {
  return assessHost(await gatherFacts(context.env, context.workDir, context.signal), jobs)
}

async function gatherFacts(env: Env, workDir: string, signal: AbortSignal): Promise<HostFacts> {
  const [found, gitVersion, docker, kvm, free, appArmor] = await Promise.all([
    findPrograms(env),
    readGitVersion(env, signal),
    askDocker(env, signal),
    kvmAvailable(),
    freeDiskBytes(workDir),
    readFile('/sys/module/apparmor/parameters/enabled', 'utf8').catch(() => 'N'),
  ])
  return {
    nodeVersion: process.versions.node,
    gitVersion,
    programs: found,
    docker,
    ovmf: findOvmf() !== undefined,
    kvm,
    freeDiskBytes: free,
    workDir,
    isRoot: process.getuid?.() === 0,
    appArmor: appArmor.startsWith('Y'),
    cgroups: / cgroup2? /.test(await readFile('/proc/mounts', 'utf8')),
  }
}

async function findPrograms(env: Env): Promise<ReadonlySet<string>> {
  const directories = [
    ...(env['PATH'] ?? '').split(':').filter((entry) => entry !== ''),
    ...systemDirectories,
  ]
  const found = new Set<string>()
  for (const program of askedPrograms) {
    for (const directory of directories) {
      if (await isExecutable(join(directory, program))) found.add(program)
    }
  }
  return found
}

const isExecutable = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  )

async function readGitVersion(env: Env, signal: AbortSignal): Promise<string | undefined> {
  try {
    const { stdout } = await runProcess(['git', '--version'], { env, signal })
    return /\d+(?:\.\d+)+/.exec(stdout)?.[0]
  } catch (error) {
    if (signal.aborted) throw error
    return undefined
  }
}

async function askDocker(env: Env, signal: AbortSignal): Promise<HostFacts['docker']> {
  try {
    return { answers: true, address: (await connectDocker(env, signal)).address }
  } catch (error) {
    if (!(error instanceof FwbuildError) || error.kind === 'cancelled') throw error
    return { answers: false, why: error.message }
  }
}

import { existsSync } from 'node:fs'
import { infraError } from '../core/errors.ts'
import { type Finding, type HostJob, packagesFor } from '../core/host/requirements.ts'
import { type PrivilegedOptions, runPrivileged } from '../effects/privileged.ts'
import { checkHost } from './check-host.ts'
import { startDocker } from './start-docker.ts'

export interface InstallOptions extends PrivilegedOptions {
  readonly jobs: readonly HostJob[]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly workDir: string
  /** Asked on a terminal before anything changes; without one the user's flag was the consent. */
  readonly confirm?: (question: string) => Promise<boolean>
}

/**
 * Installs from Debian what some jobs need and this machine lacks, and starts Docker.
 * @returns the machine as it is afterwards; what could not be cured is still missing in it
 * @throws infra E_DOCKER_MISSING | E_NOT_DEBIAN | E_NOT_ROOT | E_APT | E_DOCKER_START | E_DECLINED, cancelled
 */
export async function installMissing(options: InstallOptions): Promise<readonly Finding[]> {
  const before = await checkHost(options.jobs, options)
  const packages = packagesFor(before)
  const needsDocker = before.some(({ id, state }) => id === 'docker' && state === 'missing')
  if (packages.length === 0 && !needsDocker) return before
  const host = options.env['DOCKER_HOST']
  if (needsDocker && host !== undefined && host !== '') {
    throw infraError('E_DOCKER_MISSING', `no Docker daemon answers at DOCKER_HOST=${host}`, {
      hint: 'fwbuild starts none there. Unset DOCKER_HOST to use one of this machine.',
      retryable: true,
    })
  }
  if (packages.length > 0 && !existsSync('/usr/bin/apt-get')) {
    throw infraError('E_NOT_DEBIAN', 'this machine has no apt-get: --install-missing knows Debian only', {
      hint: `Install these yourself (their Debian names): ${packages.join(' ')}`,
    })
  }
  await consent(packages, needsDocker, options)
  if (packages.length > 0) await install(packages, options)
  if (needsDocker) await startDocker(options)
  return checkHost(options.jobs, options)
}

async function consent(
  packages: readonly string[],
  startsDocker: boolean,
  { confirm, onLine }: InstallOptions,
): Promise<void> {
  const plan = [
    ...(packages.length > 0 ? [`install ${packages.join(' ')} with apt-get`] : []),
    ...(startsDocker ? ['start the Docker daemon'] : []),
  ].join(' and ')
  if (confirm === undefined) {
    onLine(`going to ${plan}`)
    return
  }
  if (await confirm(`fwbuild is going to ${plan}. Go on?`)) return
  throw infraError('E_DECLINED', `nothing was changed: it would ${plan}`, {
    hint: 'fwbuild doctor shows what is missing and how to get it.',
  })
}

const aptEnv = { DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' } as const
/** Another apt may be at work; unattended upgrades take minutes. */
const aptOptions = ['-o', 'DPkg::Lock::Timeout=300', '-q'] as const

async function install(packages: readonly string[], options: InstallOptions): Promise<void> {
  // One repository that does not answer is no reason to stop: the install tells what is really missing.
  const updated = await apt(['update'], options)
  const installed = await apt(['install', '-y', '--no-install-recommends', ...packages], options)
  if (installed.exitCode === 0) return
  const lines = [...(updated.exitCode === 0 ? [] : updated.errors), ...installed.errors]
  throw infraError(
    'E_APT',
    `apt-get could not install ${packages.join(' ')}:\n${lines.slice(-8).join('\n')}`,
    {
      hint: `Run it yourself to see all it says: apt-get update && apt-get install ${packages.join(' ')}`,
      retryable: true,
    },
  )
}

async function apt(
  args: readonly string[],
  options: InstallOptions,
): Promise<{ exitCode: number; errors: readonly string[] }> {
  const errors: string[] = []
  const exitCode = await runPrivileged(['apt-get', ...aptOptions, ...args], aptEnv, {
    ...options,
    onLine: (line) => {
      if (/^[EW]: /.test(line)) errors.push(line)
      options.onLine(line)
    },
  })
  return { exitCode, errors }
}

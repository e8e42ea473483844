import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { buildError, messageOf, usageError } from '../../core/errors.ts'
import { runProcess } from '../../effects/process.ts'
import type { StepTools } from '../run.ts'
import type { HostKernelContext } from './context.ts'

/** What a configuration starts from. */
export interface BaseConfig {
  /** For people: `the running kernel's (/boot/config-6.1.0-38-amd64)`. */
  readonly text: string
  /** A whole .config; undefined for those that start from nothing. */
  readonly config: string | undefined
  /** `lsmod` of this machine, where only what it uses is to be built. */
  readonly modules: string | undefined
}

type Tools = Pick<StepTools, 'line' | 'note' | 'progress' | 'signal'>

/** @throws usage E_CONFIG_UNREADABLE | E_CONFIG_RUNNING, build E_CONFIG_DISTRO */
export async function readBaseConfig(context: HostKernelContext, tools: Tools): Promise<BaseConfig> {
  const { config } = context.spec
  switch (config.kind) {
    case 'small':
    case 'micro':
      return { text: `nothing (${config.kind})`, config: undefined, modules: undefined }
    case 'file':
      return { text: config.path, config: await readGiven(config.path), modules: undefined }
    case 'distro':
      return distroConfig(context, tools)
    case 'running':
    case 'localmod': {
      const running = await runningConfig(tools.signal)
      if (running === undefined) throw noRunningConfig()
      const modules = config.kind === 'localmod' ? await loadedModules(tools.signal) : undefined
      return { ...running, modules }
    }
    case 'auto': {
      const running = await runningConfig(tools.signal)
      if (running !== undefined) return { ...running, modules: undefined }
      tools.note(
        'the running kernel’s configuration is not to be had here; starting from the distribution’s',
        'warn',
      )
      return distroConfig(context, tools)
    }
  }
}

async function readGiven(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw usageError('E_CONFIG_UNREADABLE', `${path} cannot be read: ${messageOf(cause)}`, {
      cause,
      hint: 'check --config',
    })
  }
}

/** Undefined where it is not to be had. A distribution keeps it in /boot; kernels with IKCONFIG_PROC tell it themselves. */
export async function runningConfig(
  signal: AbortSignal,
): Promise<Pick<BaseConfig, 'text' | 'config'> | undefined> {
  const { stdout } = await runProcess(['uname', '-r'], { signal })
  const file = `/boot/config-${stdout.trim()}`
  if (existsSync(file))
    return { text: `the running kernel’s (${file})`, config: await readFile(file, 'utf8') }
  const own = '/proc/config.gz'
  if (!existsSync(own)) return undefined
  return { text: `the running kernel’s (${own})`, config: gunzipSync(await readFile(own)).toString('utf8') }
}

const noRunningConfig = (): Error =>
  usageError(
    'E_CONFIG_RUNNING',
    'the running kernel’s configuration is neither in /boot nor in /proc/config.gz',
    {
      hint: 'use --config distro, or name a file with --config ./my.config',
    },
  )

/** As `lsmod` prints it, for the kernel's own localmodconfig. */
const loadedModules = async (signal: AbortSignal): Promise<string> => {
  const text = await readFile('/proc/modules', 'utf8').catch(() => '')
  if (signal.aborted || text.trim() !== '') return `Module Size Used by\n${text}`
  throw usageError(
    'E_CONFIG_LOCALMOD',
    'no module is loaded here, so localmod would build a kernel without any',
    {
      hint: 'use --config running or distro',
    },
  )
}

/** Debian's configuration of the very series, from its package linux-config-SERIES. */
async function distroConfig(context: HostKernelContext, tools: Tools): Promise<BaseConfig> {
  const series = context.found.kernelVersion.split('.').slice(0, 2).join('.')
  const name = `linux-config-${series}`
  const apt = await context.apt(tools)
  const offered = await apt.versions(name)
  const wanted = context.found.origin?.debian?.version
  const chosen = offered.find(({ version }) => version === wanted) ?? offered[0]
  if (chosen === undefined) {
    throw buildError('E_CONFIG_DISTRO', `Debian has no configuration for Linux ${series} (package ${name})`, {
      hint: 'use --config running, or name a file with --config ./my.config',
    })
  }
  const deb = await apt.download(chosen)
  const session = await context.session(tools.line)
  const { area } = context
  const scratch = join(context.places.root, 'distro-config')
  await area.remove(scratch)
  const extract = async (argv: readonly string[]): Promise<void> => {
    const { exitCode } = await session.exec(argv, {
      cwd: context.places.root,
      signal: tools.signal,
      onLine: tools.line,
    })
    if (exitCode !== 0)
      throw buildError('E_CONFIG_DISTRO', `${argv[0]} failed on ${chosen.name} ${chosen.version}`)
  }
  await extract(['dpkg-deb', '-x', session.inside(deb), session.inside(scratch)])
  const folder = join(scratch, 'usr/src', name)
  const file = area.names(folder).find((each) => /^config\.amd64_none_amd64\.xz$/.test(each))
  if (file === undefined) throw buildError('E_CONFIG_DISTRO', `${name} holds no configuration for amd64`)
  await extract(['xz', '-d', session.inside(join(folder, file))])
  const text = area.requireText(join(folder, file.replace(/\.xz$/, '')))
  await area.remove(scratch)
  return { text: `Debian’s (${name} ${chosen.version})`, config: text, modules: undefined }
}

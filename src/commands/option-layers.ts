import { existsSync } from 'node:fs'
import { homedir, userInfo } from 'node:os'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import type { Command } from 'commander'
import { usageError } from '../core/errors.ts'
import type { StepEvent } from '../core/events.ts'
import { environmentLayer, unknownVariables } from '../core/spec/environment.ts'
import { parseFwbuildFile } from '../core/spec/fwbuild-file.ts'
import {
  hostKernelLayer,
  openwrtLayer,
  type FwbuildFile,
  type HostKernelLayer,
  type OpenwrtLayer,
} from '../core/spec/options.ts'
import { isUrl } from '../core/spec/source-reference.ts'
import { readGivenText } from '../effects/given-file.ts'
import type { Io } from './io.ts'

/** Flags that are no part of what is built. */
export interface RunFlags {
  readonly file: string | undefined
  readonly until: string | undefined
  readonly json: boolean
  readonly dryRun: boolean
  readonly explain: boolean
  readonly installMissing: boolean
  readonly quiet: boolean
  readonly verbose: boolean
  readonly lock: string | undefined
}

/** Options of all sources, strongest first: flags, environment, file. */
interface Layers<L> {
  readonly layers: readonly L[]
  readonly run: RunFlags
}

type PathAt = (path: string) => string

/** What tells the options of one command from those of another. */
interface LayerKind<L> {
  readonly schema: typeof openwrtLayer | typeof hostKernelLayer
  readonly environment: (env: Io['env']) => L
  readonly section: (file: FwbuildFile) => object | undefined
  /** Flags whose option has another name. */
  readonly renamed: Readonly<Record<string, string>>
  /** Paths are meant from where they are written: the current directory, or the settings file's. */
  readonly withPaths: (layer: L, at: PathAt) => L
}

const openwrtKind: LayerKind<OpenwrtLayer> = {
  schema: openwrtLayer,
  environment: (env) => environmentLayer(env, openwrtLayer),
  section: (file) => file.openwrt,
  renamed: { rootfsSize: 'rootfsSizeMb', kernelSize: 'kernelSizeMb' },
  withPaths: (layer, at) => {
    const { source, merge } = layer
    return {
      ...commonPaths(layer, at),
      ...(source === undefined ? {} : { source: sourceAt(source, at) }),
      ...(merge === undefined ? {} : { merge: merge.map((text) => sourceAt(text, at)) }),
    }
  },
}

const hostKernelKind: LayerKind<HostKernelLayer> = {
  schema: hostKernelLayer,
  environment: (env) => environmentLayer(env, hostKernelLayer),
  section: (file) => file['host-kernel'],
  renamed: {},
  withPaths: (layer, at) => {
    const { source, config, zfs } = layer
    return {
      ...commonPaths(layer, at),
      ...(source === undefined || /^debian(?::|$)/.test(source) ? {} : { source: sourceAt(source, at) }),
      ...(config === undefined || /^[a-z]+$/.test(config) ? {} : { config: at(config) }),
      ...(zfs === undefined || !zfs.includes('/') ? {} : { zfs: at(zfs) }),
    }
  },
}

export const readLayers = (command: Command, io: Io): Promise<Layers<OpenwrtLayer>> =>
  readLayersOf(openwrtKind, command, io)

export const readHostKernelLayers = (command: Command, io: Io): Promise<Layers<HostKernelLayer>> =>
  readLayersOf(hostKernelKind, command, io)

async function readLayersOf<L>(kind: LayerKind<L>, command: Command, io: Io): Promise<Layers<L>> {
  const flags = givenFlags(command)
  const run = runFlags(flags)
  const file = await readSettingsFile(kind, run.file, io)
  for (const text of unknownVariables(io.env)) warn(text, run, io)
  const here = pathFrom(io.cwd)
  const layers = [flagLayer(kind, flags), kind.environment(io.env)]
  return { layers: [...layers.map((layer) => kind.withPaths(layer, here)), ...file], run }
}

/** Before there is a reporter. */
function warn(text: string, { json }: RunFlags, io: Io): void {
  const event: StepEvent = { type: 'note', level: 'warn', text }
  io.stderr(json ? `${JSON.stringify(event)}\n` : `fwbuild: warning: ${text}\n`)
}

type Flags = Readonly<Record<string, unknown>>

/** Only what was typed: a value by default (`--no-boot` has one) is not the user's. */
function givenFlags(command: Command): Flags {
  const all = command.opts<Record<string, unknown>>()
  return Object.fromEntries(
    Object.entries(all).filter(([name]) => command.getOptionValueSource(name) === 'cli'),
  )
}

function runFlags(flags: Flags): RunFlags {
  return {
    file: flags['file'] as string | undefined,
    until: flags['until'] as string | undefined,
    lock: flags['lock'] as string | undefined,
    json: flags['json'] === true,
    dryRun: flags['dryRun'] === true,
    explain: flags['explain'] === true,
    installMissing: flags['installMissing'] === true,
    quiet: flags['quiet'] === true,
    verbose: flags['verbose'] === true,
  }
}

function flagLayer<L>(kind: LayerKind<L>, flags: Flags): L {
  // The rest (--json, lock's --update, …) is about the run, not about what is built.
  const entries = Object.entries(flags)
    .map(([name, value]) => [kind.renamed[name] ?? name, value] as const)
    .filter(([name]) => name in kind.schema.shape)
  return validated(kind, Object.fromEntries(entries))
}

function validated<L>(kind: LayerKind<L>, raw: Record<string, unknown>): L {
  const checked = kind.schema.safeParse(raw)
  if (checked.success) return checked.data as L
  const issue = checked.error.issues[0]
  const name =
    Object.entries(kind.renamed).find(([, to]) => to === issue?.path[0])?.[0] ?? String(issue?.path[0])
  const value = issue?.path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown>)[key], raw)
  throw usageError(
    'E_OPTION',
    `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} ${String(value)}: ${issue?.message}`,
  )
}

const pathFrom =
  (folder: string): PathAt =>
  (path) =>
    resolve(folder, path.replace(/^~(?=\/)/, homedir()))

function commonPaths<L extends OpenwrtLayer | HostKernelLayer>(layer: L, at: PathAt): L {
  const result: Record<string, unknown> = { ...layer }
  for (const key of ['work', 'output', 'dl'] as const)
    if (layer[key] !== undefined) result[key] = at(layer[key])
  for (const key of ['patch', 'fragment'] as const)
    if (layer[key] !== undefined) result[key] = layer[key].map(at)
  return result as L
}

function sourceAt(text: string, at: PathAt): string {
  const [location = '', ...rest] = text.split('#')
  return location === '' || location.startsWith('-') || isUrl(location)
    ? text
    : [at(location), ...rest].join('#')
}

async function readSettingsFile<L>(
  kind: LayerKind<L>,
  given: string | undefined,
  io: Io,
): Promise<readonly L[]> {
  const path = resolve(io.cwd, given ?? 'fwbuild.yaml')
  if (given === undefined && !existsSync(path)) return []
  const file = parseFwbuildFile(
    await readGivenText(path, 'E_FILE_UNREADABLE', '-C/--file'),
    given ?? 'fwbuild.yaml',
  )
  const { version: _version, openwrt: _openwrt, 'host-kernel': _hostKernel, ...common } = file
  return [kind.withPaths({ ...common, ...kind.section(file) } as L, pathFrom(dirname(path)))]
}

/** Text of a lock file: the one that was named, or the usual one where it lies in the current directory. */
export async function readLockText(
  given: string | undefined,
  usual: string,
  io: Io,
): Promise<string | undefined> {
  const path = resolve(io.cwd, given ?? usual)
  if (given === undefined && !existsSync(path)) return undefined
  return readGivenText(path, 'E_LOCK_UNREADABLE', '--lock')
}

/** Where builds keep what they share, by the layers or by the caller's environment. */
export function workDirOf(layers: readonly { readonly work?: string | undefined }[], env: Io['env']): string {
  const given = layers.find((layer) => layer.work !== undefined)?.work
  if (given !== undefined) return given
  const cache = env['XDG_CACHE_HOME'] ?? ''
  // The XDG specification has relative paths ignored.
  return join(isAbsolute(cache) ? cache : join(homeOf(env), '.cache'), 'fwbuild')
}

function homeOf(env: Io['env']): string {
  const home = env['HOME'] ?? ''
  if (isAbsolute(home)) return home
  try {
    return userInfo().homedir
  } catch (cause) {
    throw usageError('E_NO_HOME', 'there is no home directory for the work directory', {
      cause,
      hint: 'set HOME, or name a work directory with --work DIR',
    })
  }
}

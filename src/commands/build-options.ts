import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { homedir, userInfo } from 'node:os'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { InvalidArgumentError, Option, type Command } from 'commander'
import { messageOf, usageError } from '../core/errors.ts'
import type { StepEvent } from '../core/events.ts'
import { environmentLayer, unknownVariables } from '../core/spec/environment.ts'
import { parseFwbuildFile } from '../core/spec/fwbuild-file.ts'
import { openwrtLayer, type OpenwrtLayer } from '../core/spec/options.ts'
import { isUrl } from '../core/spec/source-reference.ts'
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

const list = (text: string, before: readonly string[] | undefined): readonly string[] => [
  ...(before ?? []),
  ...text.split(',').filter(Boolean),
]
const gather = (text: string, before: readonly string[] | undefined): readonly string[] => [
  ...(before ?? []),
  text,
]

function positiveInteger(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError('a whole number above 0 is needed')
  return value
}

/** Where a command finds its work directory; no option has a default, so that flags > environment > file holds. */
export function addWorkOptions(command: Command): Command {
  return command
    .option('-C, --file <file>', 'settings (default: ./fwbuild.yaml where there is one)')
    .option(
      '--work <dir>',
      'work directory: sources, downloads, ccache, trees, records (default: ~/.cache/fwbuild)',
    )
}

/** Options of every command that works on a build. */
export function addCommonOptions(command: Command): Command {
  return addWorkOptions(command)
    .addOption(new Option('--engine <engine>', 'where commands run').choices(['docker', 'host']))
    .option('--output <dir>', 'output directory (default: ./out/NAME)')
    .option('--dl <dir>', 'source archives (default: WORK/dl)')
    .option('--mirror <url>', 'Debian mirror for the buildroot image (default: the system’s own)')
    .option('--offline', 'touch no network')
    .option('-j, --jobs <n>', 'parallel make jobs (default: number of processors)', positiveInteger)
    .option('--lock <file>', 'use the pins of a lock file (default: ./fwbuild.lock where there is one)')
}

/** How steps are told of. */
export function addTalkOptions(command: Command): Command {
  return command
    .option('--json', 'results as JSON on stdout, events as JSON lines on stderr')
    .option('-q, --quiet', 'failures and warnings only')
    .option('-v, --verbose', 'every line of output')
}

export function addOpenwrtOptions(command: Command): Command {
  return command
    .option('--release <name>', 'release to build (default: the newest stable OpenWrt)')
    .option('--hv <list>', 'hypervisors: kvm, hyperv, vmware, xen (default: kvm)', list)
    .option('--source <source>', 'URL|PATH[#REF] instead of the release’s own tree')
    .option('--merge <source>', 'URL|PATH#REF to merge; any number of times', gather)
    .option('--patch <file>', 'patch to apply; any number of times', gather)
    .option('--fragment <file>', 'kernel configuration fragment; any number of times', gather)
    .option('--share <list>', 'host shares for the guest: 9p, virtiofs, vsock', list)
    .option('--package <name>', 'package to build in; any number of times', gather)
    .option('--firmware <list>', 'bios, uefi (default: all that the release has)', list)
    .option('--image <list>', 'raw, qcow2, vmdk, vhdx, vpc, vdi (default: what the hypervisors need)', list)
    .option('--rootfs-size <mb>', 'root file system in MiB', positiveInteger)
    .option('--kernel-size <mb>', 'kernel partition in MiB', positiveInteger)
    .option('--azure', 'with hyperv: also a fixed VHD for Azure')
    .option('--force-pci-hyperv', 'add KERNEL_PCI_HYPERV even where the kernel has the driver')
    .option('--no-boot', 'do not boot the images')
}

type Flags = Readonly<Record<string, unknown>>

/** Options of all layers, strongest first: flags, environment, file. */
export async function readLayers(
  command: Command,
  io: Io,
): Promise<{ layers: readonly OpenwrtLayer[]; run: RunFlags }> {
  const flags = givenFlags(command)
  const run = runFlags(flags)
  const file = await readSettingsFile(run.file, io)
  for (const text of unknownVariables(io.env)) warn(text, run, io)
  return { layers: [flagLayer(flags, io.cwd), fromFolder(environmentLayer(io.env), io.cwd), ...file], run }
}

/** Before there is a reporter. */
function warn(text: string, { json }: RunFlags, io: Io): void {
  const event: StepEvent = { type: 'note', level: 'warn', text }
  io.stderr(json ? `${JSON.stringify(event)}\n` : `fwbuild: warning: ${text}\n`)
}

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

const renamed: Readonly<Record<string, keyof OpenwrtLayer>> = {
  rootfsSize: 'rootfsSizeMb',
  kernelSize: 'kernelSizeMb',
}

function flagLayer(flags: Flags, cwd: string): OpenwrtLayer {
  // The rest (--json, lock's --update, …) is about the run, not about what is built.
  const entries = Object.entries(flags)
    .map(([name, value]) => [renamed[name] ?? name, value] as const)
    .filter(([name]) => name in openwrtLayer.shape)
  return fromFolder(validated(Object.fromEntries(entries)), cwd)
}

function validated(raw: Record<string, unknown>): OpenwrtLayer {
  const checked = openwrtLayer.safeParse(raw)
  if (checked.success) return checked.data
  const issue = checked.error.issues[0]
  const name = Object.entries(renamed).find(([, to]) => to === issue?.path[0])?.[0] ?? String(issue?.path[0])
  const value = issue?.path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown>)[key], raw)
  throw usageError(
    'E_OPTION',
    `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} ${String(value)}: ${issue?.message}`,
  )
}

/** Paths are meant from where they are written: the current directory, or the settings file's. */
function fromFolder(layer: OpenwrtLayer, folder: string): OpenwrtLayer {
  const at = (path: string): string => resolve(folder, path.replace(/^~(?=\/)/, homedir()))
  const result: Record<string, unknown> = { ...layer }
  for (const key of ['work', 'output', 'dl'] as const)
    if (layer[key] !== undefined) result[key] = at(layer[key])
  for (const key of ['patch', 'fragment'] as const)
    if (layer[key] !== undefined) result[key] = layer[key].map(at)
  const sourceAt = (text: string): string => {
    const [location = '', ...rest] = text.split('#')
    return location === '' || location.startsWith('-') || isUrl(location)
      ? text
      : [at(location), ...rest].join('#')
  }
  if (layer.source !== undefined) result['source'] = sourceAt(layer.source)
  if (layer.merge !== undefined) result['merge'] = layer.merge.map(sourceAt)
  return result
}

async function readSettingsFile(given: string | undefined, io: Io): Promise<readonly OpenwrtLayer[]> {
  const path = resolve(io.cwd, given ?? 'fwbuild.yaml')
  if (given === undefined && !existsSync(path)) return []
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    throw usageError('E_FILE_UNREADABLE', `${path} cannot be read: ${messageOf(cause)}`, {
      cause,
      hint: 'check -C/--file',
    })
  }
  const { version: _version, openwrt, ...common } = parseFwbuildFile(text, given ?? 'fwbuild.yaml')
  return [fromFolder({ ...common, ...openwrt }, dirname(path))]
}

/** Where builds keep what they share, by the layers or by the caller's environment. */
export function workDirOf(layers: readonly OpenwrtLayer[], env: Io['env']): string {
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

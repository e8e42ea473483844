import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { infraError, messageOf, usageError } from '../core/errors.ts'
import type { KconfigTree, TreeRules } from '../core/kconfig/tree/model.ts'
import { readKconfigTree, type KconfigHost } from '../core/kconfig/tree/parser.ts'

export interface KernelTreeOptions {
  /** As `make ARCH=` takes it; the x86 of 64-bit PCs by default. */
  readonly arch?: string
  /** Overrides of what `make` would export to conf, e.g. `CC`. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Stands before every compiler probe, e.g. to remember answers; `ask` runs the probe. */
  readonly shell?: (command: string, ask: () => string) => string
}

/** Far above any real Kconfig file. */
const maxFileBytes = 16 * 1024 * 1024
const probeTimeoutMs = 60_000

/**
 * Reads the Kconfig files of a kernel (or BusyBox or OpenWrt) tree, asking compiler and linker
 * what the files want to know, just as the tree's own `make *config` does.
 * @throws usage errors E_KCONFIG_…
 */
export function readKernelTree(directory: string, options: KernelTreeOptions = {}): KconfigTree {
  const top = ['Kconfig', 'Config.in'].find((name) => existsSync(join(directory, name)))
  if (top === undefined)
    throw usageError('E_KCONFIG_MISSING', `${directory}: no Kconfig file, so this is no kernel tree`, {
      hint: 'Give the top folder of an unpacked kernel source.',
    })
  const rules = rulesOf(directory)
  return readKconfigTree(
    top,
    createHost(directory, kernelEnvironment(directory, options), options.shell),
    rules.choiceModel,
    rules.unmetSelects,
  )
}

function createHost(
  directory: string,
  env: NodeJS.ProcessEnv,
  around: NonNullable<KernelTreeOptions['shell']> = (_command, ask) => ask(),
): KconfigHost {
  // $(shell,…) of Kconfig's macro language is a shell command by definition.
  const ask = (command: string): string =>
    spawnSync('/bin/sh', ['-c', command], {
      cwd: directory,
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: probeTimeoutMs,
    }).stdout ?? ''
  return {
    readFile: (path) => readTreeFile(join(directory, path), path),
    glob: (pattern) => glob(directory, pattern),
    env: (name) => env[name],
    shell: (command) => around(command, () => ask(command)),
  }
}

/** Paths below a folder that match a pattern of `*`, `?` and `[…]`, sorted. */
function glob(directory: string, pattern: string): readonly string[] {
  let found = ['']
  for (const segment of pattern.split('/')) {
    const wild = segment
      .replaceAll(/[.+^${}()|\\]/g, '\\$&')
      .replaceAll('*', '[^/]*')
      .replaceAll('?', '[^/]')
    const matcher = new RegExp(`^${wild}$`)
    found = found.flatMap((parent) =>
      namesIn(join(directory, parent))
        .filter((name) => matcher.test(name))
        .map((name) => (parent === '' ? name : `${parent}/${name}`)),
    )
  }
  return found.sort()
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory)
  } catch {
    // Not a folder, so nothing below it matches.
    return []
  }
}

function readTreeFile(file: string, shown: string): string | undefined {
  try {
    const stat = statSync(file)
    if (!stat.isFile()) return undefined
    if (stat.size > maxFileBytes)
      throw usageError(
        'E_KCONFIG_TOO_LARGE',
        `${shown}: ${Math.round(stat.size / 1e6)} MB is too large for a Kconfig file`,
      )
    return readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error
    throw infraError('E_KCONFIG_READ', `${shown}: cannot read: ${messageOf(error)}`, { cause: error })
  }
}

/** Reads off a tree's own conf how it computes: newer ones keep a list of a choice's members. */
function rulesOf(directory: string): TreeRules {
  const isOpenwrt = existsSync(join(directory, 'scripts/config/expr.h'))
  const header = readTreeFile(join(directory, 'scripts/kconfig/expr.h'), 'scripts/kconfig/expr.h') ?? ''
  return {
    choiceModel: header.includes('choice_members') ? 'menu' : 'symbol',
    unmetSelects: isOpenwrt ? 'refused' : 'taken',
  }
}

/**
 * What the kernel's Makefile exports to conf.
 * @returns an environment to run conf or the probes of Kconfig files in
 */
export function kernelEnvironment(directory: string, options: KernelTreeOptions = {}): NodeJS.ProcessEnv {
  const arch = options.arch ?? 'x86'
  const tools: NodeJS.ProcessEnv = {
    PATH: process.env['PATH'],
    HOME: process.env['HOME'],
    LC_ALL: 'C',
    ARCH: arch,
    SRCARCH: arch === 'x86_64' || arch === 'i386' ? 'x86' : arch,
    srctree: '.',
    KERNELVERSION: kernelVersion(directory) ?? '',
    CONFIG_SHELL: 'sh',
    CC: 'gcc',
    HOSTCC: 'gcc',
    HOSTCXX: 'g++',
    LD: 'ld',
    AR: 'ar',
    NM: 'nm',
    OBJCOPY: 'objcopy',
    OBJDUMP: 'objdump',
    READELF: 'readelf',
    STRIP: 'strip',
    AWK: 'awk',
    PAHOLE: 'pahole',
    PYTHON3: 'python3',
    RUSTC: 'rustc',
    BINDGEN: 'bindgen',
    ...options.env,
  }
  return {
    CC_VERSION_TEXT: firstLine(tools['CC'] ?? 'gcc'),
    RUSTC_VERSION_TEXT: firstLine(tools['RUSTC'] ?? 'rustc'),
    ...tools,
  }
}

function firstLine(program: string): string {
  const [command = '', ...args] = program.split(' ')
  const result = spawnSync(command, [...args, '--version'], { encoding: 'utf8', timeout: probeTimeoutMs })
  return (result.stdout ?? '').split('\n', 1)[0]?.replaceAll('#', '') ?? ''
}

/** The version in the head of a kernel's Makefile; undefined for other trees. */
export function kernelVersion(directory: string): string | undefined {
  const makefile = readTreeFile(join(directory, 'Makefile'), 'Makefile') ?? ''
  const part = (name: string): string => new RegExp(`^${name} *= *(\\S*)`, 'm').exec(makefile)?.[1] ?? ''
  if (part('VERSION') === '') return undefined
  return `${part('VERSION')}.${part('PATCHLEVEL')}.${part('SUBLEVEL')}${part('EXTRAVERSION')}`
}

import { buildError } from '../errors.ts'

/** What modinfo(8) says about one compiled module. */
export interface ModuleFacts {
  /** Name of its file. */
  readonly file: string
  /** E.g. `6.1.192-fwbuild-acs SMP preempt mod_unload `. */
  readonly vermagic: string
  /** Other modules it needs, by name. */
  readonly depends: readonly string[]
  readonly version: string | undefined
}

/** Reads modinfo's `field: value` lines of one module. */
export function parseModinfo(lines: readonly string[], file: string): ModuleFacts {
  const value = (field: string): string | undefined =>
    lines.find((line) => line.startsWith(`${field}:`))?.slice(field.length + 1)
  return {
    file,
    vermagic: (value('vermagic') ?? '').trim(),
    depends: (value('depends') ?? '')
      .trim()
      .split(',')
      .filter((name) => name !== '')
      .map(moduleName),
    version: value('version')?.trim(),
  }
}

/** The kernel takes `-` and `_` in names of modules for the same; `kernel/lib/zlib-x.ko.xz` is `zlib_x`. */
export const moduleName = (path: string): string =>
  path
    .slice(path.lastIndexOf('/') + 1)
    .replace(/\.(?:ko|o)(?:\.(?:gz|xz|zst))?$/, '')
    .replaceAll('-', '_')

/**
 * Names of the modules that a kernel's Module.symvers says export something: `CRC symbol module type`. Only
 * such modules can be named in another's `depends`.
 */
export function exportingModules(symvers: string): ReadonlySet<string> {
  const names = new Set<string>()
  for (const line of symvers.split('\n')) {
    const module = line.split('\t')[2]
    if (module !== undefined && module !== 'vmlinux') names.add(moduleName(module))
  }
  return names
}

export interface KernelFacts {
  /** Release, as in `/lib/modules/RELEASE`. */
  readonly release: string
  /** Version magic of one of its own modules; undefined where it has none. */
  readonly vermagic: string | undefined
  /** Names of those of its modules that export symbols. */
  readonly modules: ReadonlySet<string>
}

/** The two modules ZFS has since 2.0. */
const needed = ['spl', 'zfs'] as const

/**
 * Checks what was built against the kernel it is for: a kernel refuses a module whose version magic is not
 * its own, or that depends on one that is nowhere.
 * @throws build E_ZFS_MODULES
 */
export function checkZfsModules(modules: readonly ModuleFacts[], kernel: KernelFacts): void {
  const names = new Set(modules.map(({ file }) => moduleName(file)))
  const wrong = [
    ...needed.filter((name) => !names.has(name)).map((name) => `${name}.ko was not built`),
    ...modules.flatMap(({ file, vermagic, depends }) => [
      ...vermagicFaults(file, vermagic, kernel),
      ...depends
        .filter((name) => !names.has(name) && !kernel.modules.has(name))
        .map((name) => `${file} needs the module ${name}, which this kernel does not have`),
    ]),
  ]
  if (wrong.length === 0) return
  throw buildError(
    'E_ZFS_MODULES',
    ['the ZFS modules would not load:', ...wrong.map((line) => `  ${line}`)].join('\n'),
    { hint: 'the kernel changed while ZFS was built, or its build is not whole; run the same command again' },
  )
}

function vermagicFaults(file: string, vermagic: string, kernel: KernelFacts): readonly string[] {
  if (kernel.vermagic !== undefined && vermagic !== kernel.vermagic)
    return [`${file} has the version magic '${vermagic}', the kernel's modules have '${kernel.vermagic}'`]
  if (vermagic.split(' ', 1)[0] !== kernel.release)
    return [`${file} is for kernel '${vermagic}', not for ${kernel.release}`]
  return []
}

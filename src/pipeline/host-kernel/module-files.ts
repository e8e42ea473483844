import type { CpioEntry } from '../../core/host/cpio.ts'
import { loadOrder, moduleName } from '../../core/host/kernel-modules.ts'
import { modulePath } from '../../core/host/modules-proof.ts'
import { builtinModules, findModules, moduleDepends, readModule } from '../../effects/kernel-modules.ts'

/** Modules for a guest, with all they depend on. */
export interface ModuleFiles {
  /** In the order in which they load. */
  readonly ordered: readonly string[]
  /** Asked for, and neither among the modules nor in the kernel itself. */
  readonly absent: readonly string[]
  readonly entries: readonly CpioEntry[]
}

/**
 * Collects modules of a kernel, decompressed.
 * @param modulesDirs `…/lib/modules/RELEASE`, the later ones preferred
 * @param scratch a directory for copies
 * @throws infra E_PROGRAM_MISSING (kmod, xz, zstd) | E_KERNEL_MODULE
 */
export async function moduleFiles(
  names: readonly string[],
  modulesDirs: readonly string[],
  scratch: string,
  signal: AbortSignal,
): Promise<ModuleFiles> {
  const paths = new Map<string, string>()
  const builtin = new Set<string>()
  for (const modulesDir of modulesDirs) {
    for (const [name, path] of await findModules(modulesDir)) paths.set(name, path)
    for (const name of await builtinModules(modulesDir)) builtin.add(name)
  }
  const depends = await dependsOf(names, paths, signal)
  const { ordered, absent } = loadOrder(names, (name) => depends.get(name))
  const entries: CpioEntry[] = []
  for (const name of ordered) {
    const content = await readModule(paths.get(name) ?? '', scratch, signal)
    entries.push({ path: modulePath(name), type: 'file', content, executable: false })
  }
  return { ordered, absent: absent.filter((name) => !builtin.has(name)), entries }
}

/** Dependencies of modules and of what they depend on. */
async function dependsOf(
  names: readonly string[],
  paths: ReadonlyMap<string, string>,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const known = new Map<string, readonly string[]>()
  const waiting = names.map(moduleName)
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const path = paths.get(name)
    if (path === undefined || known.has(name)) continue
    const depends = await moduleDepends(path, signal)
    known.set(name, depends)
    waiting.push(...depends)
  }
  return known
}

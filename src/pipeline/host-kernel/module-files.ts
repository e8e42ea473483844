import type { CpioEntry } from '../../core/host/cpio.ts'
import { loadOrder, moduleName } from '../../core/host/kernel-modules.ts'
import { modulePath } from '../../core/host/modules-proof.ts'
import {
  builtinModules,
  findModules,
  moduleDepends,
  readModule,
  type ModuleFile,
  type ModulesFolder,
} from '../../effects/kernel-modules.ts'

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
 * @param folders the later ones preferred
 * @param scratch a directory for copies
 * @throws infra E_PROGRAM_MISSING (kmod, xz, zstd) | E_KERNEL_MODULE
 */
export async function moduleFiles(
  names: readonly string[],
  folders: readonly ModulesFolder[],
  scratch: string,
  signal: AbortSignal,
): Promise<ModuleFiles> {
  const found = new Map<string, ModuleFile>()
  const builtin = new Set<string>()
  for (const folder of folders) {
    for (const [name, file] of findModules(folder)) found.set(name, file)
    for (const name of builtinModules(folder)) builtin.add(name)
  }
  const depends = await dependsOf(names, found, scratch, signal)
  const { ordered, absent } = loadOrder(names, (name) => depends.get(name))
  const entries: CpioEntry[] = []
  for (const name of ordered) {
    const file = found.get(name)
    if (file === undefined) throw new Error(`${name} was found and is gone`)
    const content = await readModule(file, scratch, signal)
    entries.push({ path: modulePath(name), type: 'file', content, executable: false })
  }
  return { ordered, absent: absent.filter((name) => !builtin.has(name)), entries }
}

/** Dependencies of modules and of what they depend on. */
async function dependsOf(
  names: readonly string[],
  found: ReadonlyMap<string, ModuleFile>,
  scratch: string,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const known = new Map<string, readonly string[]>()
  const waiting = names.map(moduleName)
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const file = found.get(name)
    if (file === undefined || known.has(name)) continue
    const depends = await moduleDepends(file, scratch, signal)
    known.set(name, depends)
    waiting.push(...depends)
  }
  return known
}

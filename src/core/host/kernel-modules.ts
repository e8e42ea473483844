/** Name of a module as the kernel has it: `vfio-pci.ko.xz` is `vfio_pci`. */
export const moduleName = (fileOrName: string): string =>
  fileOrName
    .slice(fileOrName.lastIndexOf('/') + 1)
    .replace(/\.ko(\.(?:gz|xz|zst))?$/, '')
    .replaceAll('-', '_')

/** `depends` of a module's information (modinfo -F depends). */
export const readDepends = (text: string): readonly string[] =>
  text
    .trim()
    .split(',')
    .filter((name) => name !== '')
    .map(moduleName)

/** Names in `modules.builtin`. */
export const readBuiltin = (text: string): ReadonlySet<string> =>
  new Set(
    text
      .split('\n')
      .filter((line) => line !== '')
      .map(moduleName),
  )

/**
 * Modules with all they depend on, in an order in which they load.
 * @param dependsOn undefined where there is no such module
 * @returns also the names that there is no module for
 */
export function loadOrder(
  names: readonly string[],
  dependsOn: (name: string) => readonly string[] | undefined,
): { readonly ordered: readonly string[]; readonly absent: readonly string[] } {
  const ordered: string[] = []
  const absent: string[] = []
  const seen = new Set<string>()
  const visit = (name: string): void => {
    if (seen.has(name)) return
    seen.add(name)
    const depends = dependsOn(name)
    if (depends === undefined) {
      absent.push(name)
      return
    }
    depends.forEach(visit)
    ordered.push(name)
  }
  names.map(moduleName).forEach(visit)
  return { ordered, absent }
}

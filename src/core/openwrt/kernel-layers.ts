/** What OpenWrt makes a kernel's configuration of, all as text. */
export interface KernelLayers {
  /** The configuration stack, lowest first: generic, target, subtarget, env/kernel-config. */
  readonly stack: readonly string[]
  /** OpenWrt's own .config, whose KERNEL_* symbols beat the stack. */
  readonly openwrtConfig: string
  /** include/kernel-defaults.mk, which adds some lines of its own; empty where a tree has none. */
  readonly kernelDefaults: string
  /** What packages (kmod-*) want, as scripts/package-metadata.pl prints it. */
  readonly packages: string
}

/**
 * Merges the layers as include/kernel-defaults.mk and scripts/kconfig.pl of lede-17.01 to main do.
 * @returns symbol to value as a .config has them, sorted by name as kconfig.pl writes them
 */
export function layeredKernelConfig(layers: KernelLayers): ReadonlyMap<string, string> {
  const merged = new Map<string, string>()
  const put = (text: string): void => {
    for (const [symbol, value] of assignmentsOf(text)) merged.set(symbol, value)
  }
  for (const text of layers.stack) put(text)
  put(transferred(layers.openwrtConfig))
  put(echoedLines(layers.kernelDefaults, 'Kernel/Configure/Default', '.config.target').join('\n'))
  addPackages(merged, layers.packages)
  dropInitramfs(merged, layers.kernelDefaults)
  return new Map([...merged].sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Symbols of the kernel that OpenWrt's own .config decides. */
export const symbolsFromOpenwrt = (openwrtConfig: string): ReadonlySet<string> =>
  new Set(assignmentsOf(transferred(openwrtConfig)).map(([symbol]) => symbol))

/** kconfig.pl takes any line of these two forms; `#undef` there is `n` here. */
function assignmentsOf(text: string): readonly (readonly [string, string])[] {
  const found: (readonly [string, string])[] = []
  for (const line of text.split('\n')) {
    const set = /^CONFIG_(.+?)=(.+)/.exec(line)
    if (set?.[1] !== undefined && set[2] !== undefined) {
      found.push([set[1], set[2]])
      continue
    }
    const unset = /^# CONFIG_(.+?) is not set/.exec(line)
    if (unset?.[1] !== undefined) found.push([unset[1], 'n'])
  }
  return found
}

const transferred = (openwrtConfig: string): string =>
  openwrtConfig
    .split('\n')
    .filter((line) => /^(?:#\s+)?CONFIG_KERNEL_/.test(line))
    .map((line) => line.replace('CONFIG_KERNEL_', 'CONFIG_'))
    .join('\n')

/** `kconfig.pl m+`: a package turns symbols on or makes them stronger, and never off. */
function addPackages(merged: Map<string, string>, packages: string): void {
  const wanted = new Map<string, string>()
  for (const [symbol, value] of assignmentsOf(packages)) {
    const before = wanted.get(symbol)
    if (before === undefined || before === 'n' || value === 'y') wanted.set(symbol, value)
  }
  for (const [symbol, value] of wanted) {
    const before = merged.get(symbol)
    if (before === 'y' || (before !== undefined && value === 'n')) continue
    merged.set(symbol, value)
  }
}

/** Kernel/SetNoInitramfs: images for disks have no built-in file system. */
function dropInitramfs(merged: Map<string, string>, kernelDefaults: string): void {
  const lines = echoedLines(kernelDefaults, 'Kernel/SetNoInitramfs', '.config.set')
  if (lines.length === 0) return
  for (const [symbol, value] of merged) {
    if (`${symbol}=${value}`.includes('INITRAMFS')) merged.delete(symbol)
  }
  for (const [symbol, value] of assignmentsOf(lines.join('\n'))) merged.set(symbol, value)
}

/** The configuration lines that a make definition echoes into a file of the kernel tree. */
function echoedLines(makefile: string, definition: string, file: string): readonly string[] {
  const start = makefile.indexOf(`define ${definition}\n`)
  if (start === -1) return []
  const body = makefile.slice(start, makefile.indexOf('\nendef', start))
  return body.split('\n').flatMap((line) => {
    const echo = /^\s*echo (['"])(.*)\1 >> \$\(LINUX_DIR\)\/(\S+)$/.exec(line)
    return echo?.[2] !== undefined && echo[3] === file ? [echo[2]] : []
  })
}

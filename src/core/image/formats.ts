/** Hypervisors whose guests fwbuild prepares. */
export const hypervisors = ['kvm', 'vmware', 'hyperv', 'xen'] as const
export type Hypervisor = (typeof hypervisors)[number]

/** Disk image formats fwbuild writes; `vpc` is the fixed VHD that Azure takes. */
export const imageFormats = ['raw', 'qcow2', 'vmdk', 'vhdx', 'vpc', 'vdi'] as const
export type ImageFormat = (typeof imageFormats)[number]

/** What each hypervisor imports without a conversion by the user. */
const formatsOfHypervisor: Readonly<Record<Hypervisor, readonly ImageFormat[]>> = {
  kvm: ['raw', 'qcow2'],
  vmware: ['vmdk'],
  hyperv: ['raw', 'vhdx'],
  xen: ['raw'],
}

/**
 * Formats to write for a set of hypervisors, in the order of `imageFormats`, each once.
 * @param wanted the user's own list (`--image`), which replaces the derived one
 */
export function formatsFor(
  targets: readonly Hypervisor[],
  options: { readonly wanted?: readonly ImageFormat[]; readonly azure?: boolean } = {},
): readonly ImageFormat[] {
  const asked = new Set(options.wanted ?? targets.flatMap((target) => formatsOfHypervisor[target]))
  if (options.wanted === undefined && options.azure === true && targets.includes('hyperv')) asked.add('vpc')
  return imageFormats.filter((format) => asked.has(format))
}

const extensions: Readonly<Record<ImageFormat, string>> = {
  raw: '.img',
  qcow2: '.qcow2',
  vmdk: '.vmdk',
  vhdx: '.vhdx',
  vpc: '.vhd',
  vdi: '.vdi',
}

/** File name extension with its dot. */
export const extensionOf = (format: ImageFormat): string => extensions[format]

/** Format that a file's name says it has, or undefined; `.gz` is not looked through. */
export function formatOfName(name: string): ImageFormat | undefined {
  const lower = name.toLowerCase()
  if (lower.endsWith('.raw')) return 'raw'
  return imageFormats.find((format) => lower.endsWith(extensions[format]))
}

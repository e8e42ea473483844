import { z } from 'zod'
import { hypervisors, imageFormats } from '../image/formats.ts'
import { memoryBytes } from './memory-size.ts'

export const firmwares = ['bios', 'uefi'] as const

const name = z.string().min(1)
const paths = z.array(name)
const positive = z.number().int().positive()
/** What both APT and debootstrap can read from. */
const mirrorUrl = z
  .string()
  .refine((text) => /^(?:(?:https?|ftp):\/\/[^/]|file:\/\/\/)/.test(text) && URL.canParse(text), {
    error: 'not the URL of a Debian mirror, which looks like https://HOST/debian or file:///DIRECTORY',
  })

/** Options every building command has; values of the file, the environment and the flags alike. */
export const commonOptions = {
  engine: z.enum(['docker', 'host']).describe('where commands run'),
  work: name.describe('work directory: git mirror, downloads, ccache, trees, records'),
  output: name.describe('output directory'),
  dl: name.describe('source archives'),
  mirror: mirrorUrl.describe('Debian mirror for the buildroot image'),
  offline: z.boolean().describe('touch no network'),
  jobs: positive.describe('parallel make jobs'),
  memory: z
    .string()
    .refine((text) => memoryBytes(text) !== undefined, {
      error: 'write it like 8G or 1536M; at least 64M',
    })
    .describe('memory of the build container, like 8G'),
  pids: positive.describe('processes of the build container at once'),
}

export const openwrtOptions = {
  release: name.describe('release of the catalogue'),
  hv: z.array(z.enum(hypervisors)).describe('hypervisors the images are for'),
  source: name.describe('URL|PATH[#REF] in place of the release’s own'),
  merge: paths.describe('URL|PATH#REF to merge'),
  patch: paths.describe('patch files'),
  fragment: paths.describe('kernel configuration fragments, applied last'),
  share: z.array(z.enum(['9p', 'virtiofs', 'vsock'])).describe('host shares the guest can use'),
  package: paths.describe('OpenWrt packages to build in'),
  firmware: z.array(z.enum(firmwares)).describe('firmware to emit images for'),
  image: z.array(z.enum(imageFormats)).describe('image formats'),
  rootfsSizeMb: positive.describe('root file system partition in MiB'),
  kernelSizeMb: positive.describe('kernel partition in MiB'),
  skipDocs: z.boolean().describe('leave out what does not fit of a patch to Documentation/'),
  forcePciHyperv: z.boolean().describe('add KERNEL_PCI_HYPERV even where the kernel has it already'),
  azure: z.boolean().describe('with hyperv: also a fixed VHD for Azure'),
  boot: z.boolean().describe('boot the images'),
}

/** `always`: also for devices that have an ACS capability and leave its controls off. */
export const acsModes = ['off', 'missing', 'always'] as const
export type AcsMode = (typeof acsModes)[number]

export const hostKernelOptions = {
  acs: z.enum(acsModes).describe('pcie_acs_override patch: for devices that lack ACS, or for all'),
  zfs: name.describe('ZFS modules: auto (where the host has ZFS), on, off, a version, or a source directory'),
  source: name.describe('debian[:SERIES|:newest], a kernel tree, a tarball, or a git URL#REF'),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/i, 'a sha256 is 64 hexadecimal digits')
    .describe('hash of a source tarball'),
  config: name.describe('running, distro, localmod, small, micro, or a .config file'),
  patch: paths.describe('kernel patches, after our own'),
  skipDocs: z.boolean().describe('leave out what does not fit of a patch to Documentation/'),
  fragment: paths.describe('kernel configuration fragments, applied last'),
  localversion: z
    .string()
    .regex(/^-[a-z0-9+.~-]{1,40}$/, 'write it like -acs: a dash, then lower-case letters, digits and + . ~ -')
    .describe('suffix of the kernel release (default: -fwbuild, -fwbuild-acs with --acs)'),
  passthrough: z
    .array(
      z.string().regex(/^(?:[0-9a-f]{4}:)?[0-9a-f]{2}:[01][0-9a-f]\.[0-7]$/i, 'write a BDF like 01:00.0'),
    )
    .describe('PCI devices (BDF) that vfio-pci takes at boot'),
  boot: z.boolean().describe('boot the kernel'),
}

const optional = <S extends z.ZodRawShape>(shape: S) => z.strictObject(shape).partial()

export const openwrtLayer = optional({ ...commonOptions, ...openwrtOptions })
/** The options that all building commands share. */
export type CommonLayer = Pick<OpenwrtLayer, keyof typeof commonOptions>
/** One source of options: the file, the environment or the flags. */
export type OpenwrtLayer = z.infer<typeof openwrtLayer>

export const hostKernelLayer = optional({ ...commonOptions, ...hostKernelOptions })
/** As OpenwrtLayer, of `fwbuild host-kernel`. */
export type HostKernelLayer = z.infer<typeof hostKernelLayer>

/** fwbuild.yaml. */
export const fileSchema = z.strictObject({
  version: z.literal(1, { error: 'has to be 1' }).describe('version of this file’s format'),
  ...optional(commonOptions).shape,
  openwrt: optional(openwrtOptions).optional(),
  'host-kernel': optional(hostKernelOptions).optional(),
})
export type FwbuildFile = z.infer<typeof fileSchema>

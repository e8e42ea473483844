import { usageError } from '../errors.ts'

/** Where the EFI images of a release come from. */
export type EfiStory = 'upstream' | 'merge' | 'none'

/** One OpenWrt tree fwbuild knows how to build; the facts were read off the trees themselves. */
export interface Release {
  readonly name: string
  readonly title: string
  /** `mini` is made from this project's own fixture tree, the others are cloned. */
  readonly source:
    | { readonly kind: 'mini' }
    | { readonly kind: 'git'; readonly url: string; readonly ref: string }
  /** Kernel series, e.g. `6.12`. */
  readonly kernel: string
  /** Debian suites the tree builds on, best first. */
  readonly suites: readonly string[]
  readonly efi: EfiStory
  /** Refs of the same source that are merged by default. */
  readonly merges: readonly string[]
  /** Symbol that asks for EFI images; absent where there are none. */
  readonly efiSymbol?: 'EFI_IMAGES' | 'GRUB_EFI_IMAGES'
  /** Up to 19.07 an unpadded squashfs disk is shorter than its partition table. */
  readonly padImages: boolean
  /** Device profile symbol naming: up to 19.07 `TARGET_x86_64_Generic`. */
  readonly profile: 'TARGET_x86_64_Generic' | 'TARGET_x86_64_DEVICE_generic'
  /** Work directory space for a build from nothing. */
  readonly diskBytes: number
  /** `stable` takes part in the choice of the default. */
  readonly channel: 'stable' | 'old' | 'development' | 'article' | 'miniature'
}

const openwrtUrl = 'https://git.openwrt.org/openwrt/openwrt.git'
const ledeUrl = 'https://github.com/lede-project/source.git'
const gib = 1024 ** 3

const deviceProfile = 'TARGET_x86_64_DEVICE_generic'
const genericProfile = 'TARGET_x86_64_Generic'

function stable(
  version: string,
  kernel: string,
  suites: readonly string[],
  channel: Release['channel'],
): Release {
  return {
    name: version,
    title: `OpenWrt ${version}`,
    source: { kind: 'git', url: openwrtUrl, ref: `openwrt-${version}` },
    kernel,
    suites,
    efi: 'upstream',
    merges: [],
    efiSymbol: 'GRUB_EFI_IMAGES',
    padImages: false,
    profile: deviceProfile,
    diskBytes: 16 * gib,
    channel,
  }
}

/** Before 21.02: BIOS images only, unless the x86_uefi branch is merged. */
function beforeEfi(release: Release): Release {
  const { efiSymbol: _none, ...rest } = release
  return { ...rest, efi: 'none', padImages: true, profile: genericProfile }
}

export const releases: readonly Release[] = [
  {
    name: 'mini',
    title: 'miniature OpenWrt (this project’s own, real kernel and BusyBox from Debian)',
    source: { kind: 'mini' },
    kernel: '6.1',
    suites: ['bookworm'],
    efi: 'merge',
    merges: ['x86_uefi'],
    efiSymbol: 'EFI_IMAGES',
    padImages: false,
    profile: deviceProfile,
    diskBytes: 5 * gib,
    channel: 'miniature',
  },
  {
    name: 'lede',
    title: 'LEDE trunk of July 2017 with the x86_uefi branch',
    source: { kind: 'git', url: ledeUrl, ref: '9551d91b1d6ac337c3e63870f723cd2a062a5db0' },
    kernel: '4.9',
    suites: ['buster', 'bullseye', 'bookworm'],
    efi: 'merge',
    merges: ['refs/pull/1026/head'],
    efiSymbol: 'EFI_IMAGES',
    padImages: true,
    profile: genericProfile,
    diskBytes: 14 * gib,
    channel: 'article',
  },
  beforeEfi({
    ...stable('17.01', '4.4', ['buster', 'bullseye', 'bookworm'], 'old'),
    title: 'LEDE 17.01',
    source: { kind: 'git', url: openwrtUrl, ref: 'lede-17.01' },
  }),
  beforeEfi(stable('18.06', '4.14', ['buster', 'bullseye', 'bookworm'], 'old')),
  beforeEfi(stable('19.07', '4.14', ['bullseye', 'bookworm'], 'old')),
  stable('21.02', '5.4', ['bullseye', 'bookworm'], 'old'),
  stable('22.03', '5.10', ['bookworm', 'bullseye'], 'old'),
  stable('23.05', '5.15', ['bookworm'], 'old'),
  stable('24.10', '6.6', ['bookworm', 'trixie'], 'stable'),
  stable('25.12', '6.12', ['bookworm', 'trixie'], 'stable'),
  {
    ...stable('main', '6.18', ['bookworm', 'trixie'], 'development'),
    title: 'OpenWrt main',
    source: { kind: 'git', url: openwrtUrl, ref: 'main' },
  },
]

/** The newest stable release: what is built when none is named. */
export function defaultRelease(): Release {
  const newest = releases.filter((release) => release.channel === 'stable').at(-1)
  if (newest === undefined) throw new Error('the catalogue has no stable release')
  return newest
}

/** @throws usage error that lists the known names */
export function findRelease(name: string): Release {
  const release = releases.find((candidate) => candidate.name === name)
  if (release !== undefined) return release
  throw usageError('E_RELEASE_UNKNOWN', `unknown release ‘${name}’`, {
    hint: `known releases: ${releases.map((candidate) => candidate.name).join(', ')}`,
  })
}

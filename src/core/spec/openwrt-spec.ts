import { usageError } from '../errors.ts'
import { formatsFor, type Hypervisor, type ImageFormat } from '../image/formats.ts'
import type { Firmware } from '../image/image-names.ts'
import { defaultRelease, findRelease, type Release } from '../release/catalogue.ts'
import type { OpenwrtLayer } from './options.ts'
import { parseSourceReference, type SourceReference } from './source-reference.ts'

/** Everything a build of OpenWrt images is asked for; checked once, trusted afterwards. */
export interface OpenwrtSpec {
  readonly release: Release
  readonly hypervisors: readonly Hypervisor[]
  readonly source: SourceReference | undefined
  readonly merges: readonly SourceReference[]
  readonly patches: readonly string[]
  /** Refused hunks of documentation are left out. */
  readonly skipDocs: boolean
  readonly fragments: readonly string[]
  readonly shares: readonly ('9p' | 'virtiofs' | 'vsock')[]
  readonly packages: readonly string[]
  readonly firmwares: readonly Firmware[]
  readonly formats: readonly ImageFormat[]
  readonly rootfsSizeMb: number | undefined
  readonly kernelSizeMb: number | undefined
  readonly forcePciHyperv: boolean
  readonly boot: boolean
}

const packageName = /^[A-Za-z0-9][A-Za-z0-9+._-]*$/

/**
 * Options of all layers made one specification.
 * @param layers strongest first
 * @throws usage errors for values that don't fit each other
 */
export function openwrtSpec(layers: readonly OpenwrtLayer[]): OpenwrtSpec {
  const pick = <K extends keyof OpenwrtLayer>(key: K): OpenwrtLayer[K] =>
    layers.find((layer) => layer[key] !== undefined)?.[key]
  const release = pick('release') === undefined ? defaultRelease() : findRelease(pick('release') as string)
  const merges = (pick('merge') ?? []).map(parseSourceReference)
  const targets: readonly Hypervisor[] = [...new Set<Hypervisor>(pick('hv') ?? ['kvm'])]
  if (targets.length === 0)
    throw usageError('E_HV_EMPTY', 'no hypervisor named', { hint: 'for example --hv kvm,hyperv' })
  const wanted = pick('image')
  if (wanted?.length === 0)
    throw usageError('E_IMAGE_EMPTY', 'no image format named', { hint: 'for example --image raw,qcow2' })
  for (const name of pick('package') ?? []) {
    if (!packageName.test(name)) throw usageError('E_PACKAGE_NAME', `‘${name}’ is not a package name`)
  }
  const source = pick('source')
  return {
    release,
    hypervisors: targets,
    source: source === undefined ? undefined : parseSourceReference(source),
    merges,
    patches: pick('patch') ?? [],
    skipDocs: pick('skipDocs') ?? false,
    fragments: pick('fragment') ?? [],
    shares: [...new Set(pick('share'))],
    packages: [...new Set(pick('package'))].sort(),
    firmwares: chooseFirmware(release, merges, pick('firmware')),
    formats: formatsFor(targets, {
      ...(wanted === undefined ? {} : { wanted }),
      azure: pick('azure') ?? false,
    }),
    rootfsSizeMb: pick('rootfsSizeMb'),
    kernelSizeMb: pick('kernelSizeMb'),
    forcePciHyperv: pick('forcePciHyperv') ?? false,
    boot: pick('boot') ?? true,
  }
}

function chooseFirmware(
  release: Release,
  merges: readonly SourceReference[],
  wanted: readonly Firmware[] | undefined,
): readonly Firmware[] {
  const possible: readonly Firmware[] =
    release.efi === 'none' && merges.length === 0 ? ['bios'] : ['bios', 'uefi']
  if (wanted?.length === 0)
    throw usageError('E_FIRMWARE_EMPTY', 'no firmware named', { hint: 'for example --firmware bios,uefi' })
  const missing = wanted?.find((firmware) => !possible.includes(firmware))
  if (missing !== undefined) {
    throw usageError('E_FIRMWARE', `${release.title} has no ${missing} images by itself`, {
      hint: 'merge the x86_uefi branch: --merge URL|PATH#REF',
    })
  }
  return wanted === undefined ? possible : [...new Set(wanted)]
}

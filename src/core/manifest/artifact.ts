import type { BootResult } from '../boot/boot-result.ts'
import type { ImageFormat } from '../image/formats.ts'
import type { Firmware, ImageKind } from '../image/image-names.ts'

/** One file of the output directory, as manifest.json lists it. */
export interface Artifact {
  readonly kind: ImageKind
  readonly firmware: Firmware
  readonly format: ImageFormat
  /** Relative to the output directory. */
  readonly path: string
  readonly bytes: number
  /** Lower-case hex. */
  readonly sha256: string
  /** Absent for files that cannot be booted by themselves. */
  readonly boot?: BootResult
  /** Of an EFI image that starts from a BIOS too (upstream's `-combined-efi` do). */
  readonly biosBoot?: BootResult
}

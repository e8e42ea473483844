/** A line on the serial console after which a boot has failed. */
export interface SerialFailure {
  readonly pattern: RegExp
  readonly meaning: string
  /** How long the guest may still recover, or how long the rest of the message is waited for. */
  readonly graceMs: number
  /** The console marker within the grace takes the failure back. */
  readonly recoverable: boolean
}

const restOfMessageMs = 2000

/** From Linux' own messages, OVMF's and GRUB's. */
export const serialFailures: readonly SerialFailure[] = [
  final(/Kernel panic\b.*/, 'the kernel panicked'),
  final(/VFS: Unable to mount root.*/, 'the kernel found no root file system'),
  final(/\bOops\b.*/, 'the kernel met an internal error'),
  final(/\bBUG:.*/, 'the kernel met an internal error'),
  final(/Access Denied.*/, 'the firmware refused the boot loader (Secure Boot)'),
  final(/UEFI Interactive Shell.*/, 'the firmware found nothing to boot on the disk'),
  final(/grub rescue>/, 'GRUB did not find its files on the disk'),
  final(/error: no such (?:device|partition).*/, 'GRUB did not find its files on the disk'),
  final(/Failed to boot both default and fallback entries.*/, 'GRUB could not start the kernel'),
  {
    pattern: /Waiting for root device.*/,
    meaning: 'the root device did not appear',
    graceMs: 20_000,
    recoverable: true,
  },
]

function final(pattern: RegExp, meaning: string): SerialFailure {
  return { pattern, meaning, graceMs: restOfMessageMs, recoverable: false }
}

/** The first failure a line tells of. */
export function failureIn(
  line: string,
): { readonly failure: SerialFailure; readonly text: string } | undefined {
  for (const failure of serialFailures) {
    const match = failure.pattern.exec(line)
    if (match !== null) return { failure, text: match[0].trim() }
  }
  return undefined
}

import type { CpioEntry } from './cpio.ts'

/**
 * The least a guest needs to run a script: a static BusyBox, the script as its first process and the console
 * that the kernel opens for it.
 */
export const guestBase = (busybox: Uint8Array, script: string): readonly CpioEntry[] => [
  { path: 'bin/busybox', type: 'file', content: busybox, executable: true },
  { path: 'dev/console', type: 'character-device', major: 5, minor: 1 },
  { path: 'init', type: 'file', content: new TextEncoder().encode(script), executable: true },
]

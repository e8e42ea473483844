/**
 * The kernel version that conf wrote at the top of a .config (`# Linux/x86 6.12.103 Kernel Configuration`).
 * @returns undefined for hand-written files
 */
export const versionInHeader = (text: string): string | undefined =>
  /^# Linux\/\S+ (\d+\.\d+\S*) Kernel Configuration$/m.exec(text.slice(0, 2000))?.[1]

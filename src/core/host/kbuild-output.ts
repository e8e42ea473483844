import { tellsDiskFull } from '../disk-full.ts'

/**
 * What the kernel's make says on its way (scripts/Kbuild.include, quiet mode):
 *   `  CC [M]  drivers/vfio/pci/vfio_pci.o`                      a file is made
 *   `make[4]: *** [scripts/Makefile.build:250: drivers/pci/quirks.o] Error 1`
 */
export type KbuildEvent =
  | { readonly type: 'made'; readonly item: string }
  | { readonly type: 'failed'; readonly item: string }
  | { readonly type: 'disk-full' }

const made =
  /^ {2}(?:CC|AS|LD|AR|HOSTCC|HOSTLD|BTF|OBJCOPY|MODPOST|ZOFFSET|VOFFSET|GZIP|BUILD|INSTALL|STRIP)(?: \[M\])? +(\S+)$/
const failed = /^make(?:\[\d+\])?: \*\*\* \[(?:\S+:\d+: )?([^\]\s]+)\] Error \d+/

/** Reads one line of the kernel's make; undefined where it tells nothing. */
export function readKbuildLine(line: string): KbuildEvent | undefined {
  if (tellsDiskFull(line)) return { type: 'disk-full' }
  const file = made.exec(line)?.[1]
  if (file !== undefined) return { type: 'made', item: file }
  const item = failed.exec(line)?.[1]
  return item === undefined ? undefined : { type: 'failed', item }
}

/** What a compiler, linker or modpost says; what make adds comes after, or before it from another job. */
const causeLine =
  /(?:^|\s)(?:fatal error:|error:|Error:|ERROR:|undefined reference|No rule to make target|command not found)/
const makeLine = /\*\*\*/

/** The first lines that look like the cause of a failure, with what follows, at most `limit` lines. */
export function firstKbuildErrors(lines: readonly string[], limit = 12): readonly string[] {
  const cause = lines.findIndex((line) => causeLine.test(line) && !makeLine.test(line))
  const first = cause === -1 ? lines.findIndex((line) => makeLine.test(line)) : cause
  if (first === -1) return lines.slice(-limit)
  const start = Math.max(0, first - 1)
  return lines.slice(start, start + limit).filter((line) => readKbuildLine(line)?.type !== 'made')
}

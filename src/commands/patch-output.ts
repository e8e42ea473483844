import path from 'node:path'
import { usageError } from '../core/errors.ts'
import { bytesOf, displayText } from '../core/patch/lines.ts'
import { writeText } from '../effects/patch-files.ts'
import type { Io } from './io.ts'

/** Puts a patch (binary string) into a file or on standard output, byte for byte. */
export function putPatch(text: string, output: string | undefined, io: Io): void {
  if (output !== undefined) {
    writeText(path.resolve(io.cwd, output), text)
    return
  }
  const shown = displayText(text)
  if (!Buffer.from(shown, 'utf8').equals(bytesOf(text))) {
    throw usageError('E_PATCH_BYTES', 'the patch is not UTF-8 text and would not survive standard output', {
      hint: 'Write it to a file with -o FILE.',
    })
  }
  io.stdout(shown)
}

import { resolve } from 'node:path'
import { bytesOf } from '../core/patch/lines.ts'
import { writePatch } from '../effects/patch-files.ts'
import type { Io } from './io.ts'

/** Puts a patch (binary string) into a file or on standard output, byte for byte. */
export function putPatch(text: string, output: string | undefined, io: Io): void {
  if (output === undefined || output === '-') io.stdout(bytesOf(text))
  else writePatch(resolve(io.cwd, output), text)
}

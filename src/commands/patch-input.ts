import { usageError } from '../core/errors.ts'
import type { NamedPatch } from '../core/patch/series.ts'
import { maxPatchBytes } from '../effects/patch-bytes.ts'
import { loadPatches, standardInput } from '../effects/patch-files.ts'
import type { Io } from './io.ts'

/** Loads what the arguments name; `-` is standard input. */
export async function readPatches(names: readonly string[], io: Io): Promise<readonly NamedPatch[]> {
  if (!names.includes(standardInput)) return loadPatches(names, io.cwd, io)
  if (io.readInput === undefined) {
    throw usageError('E_PATCH_MISSING', 'standard input is a terminal, no patch comes from there')
  }
  const input = await io.readInput(maxPatchBytes)
  return loadPatches(names, io.cwd, { input, signal: io.signal })
}

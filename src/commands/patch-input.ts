import { cancelledError, usageError } from '../core/errors.ts'
import type { NamedPatch } from '../core/patch/series.ts'
import { loadPatches, standardInput } from '../effects/patch-files.ts'
import type { Io } from './io.ts'

/** Loads what the arguments name; `-` is standard input. */
export async function readPatches(names: readonly string[], io: Io): Promise<readonly NamedPatch[]> {
  if (!names.includes(standardInput)) return loadPatches(names, io.cwd)
  if (io.readInput === undefined) {
    throw usageError('E_PATCH_MISSING', 'standard input is a terminal, no patch comes from there')
  }
  return loadPatches(names, io.cwd, await allInput(io.readInput, io.signal))
}

async function allInput(read: () => Promise<Uint8Array>, signal: AbortSignal): Promise<Uint8Array> {
  try {
    return await read()
  } catch (error) {
    throw signal.aborted ? cancelledError() : error
  }
}

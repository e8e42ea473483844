import { applyPatch, type ApplyOptions, type ApplyResult } from '../../src/core/patch/apply.ts'
import type { FileState } from '../../src/core/patch/file-state.ts'
import { binaryString, bytesOf } from '../../src/core/patch/lines.ts'
import { parsePatch } from '../../src/core/patch/parse.ts'
import { changeTree } from '../../src/effects/tree-change/change.ts'

export const fileState = (text: string, mode = 0o100644): FileState => ({
  bytes: bytesOf(text),
  mode,
  kind: 'file',
})

export const linkTo = (target: string): FileState => ({
  bytes: bytesOf(target),
  mode: 0o120000,
  kind: 'symlink',
})

/** Applies a patch to files given as texts or states. */
export function applyTo(
  patch: string,
  files: Readonly<Record<string, string | FileState>>,
  options?: ApplyOptions,
): ApplyResult {
  const tree = new Map(
    Object.entries(files).map(([path, file]) => [path, typeof file === 'string' ? fileState(file) : file]),
  )
  return applyPatch(parsePatch(patch), (path) => tree.get(path), options)
}

/** A changed file's text; undefined when it was deleted or not changed. */
export function textAfter(result: ApplyResult, path: string): string | undefined {
  const state = result.files.get(path)
  return state === undefined ? undefined : binaryString(state.bytes)
}

/** The only hunk's placement. */
export function placementOf(result: ApplyResult) {
  const placement = result.placements[0]?.hunks[0]?.placement
  if (placement === undefined) throw new Error('no hunk was placed')
  return placement
}

/** Lines `first … last` of a file in which each is different and says something. */
export const numbered = (first: number, last: number): string =>
  Array.from({ length: last - first + 1 }, (_, at) => `statement_${first + at}(device);\n`).join('')

/** Changes files of a tree on disk. */
export async function writeTree(
  root: string,
  files: ReadonlyMap<string, FileState | undefined>,
  signal?: AbortSignal,
): Promise<void> {
  await using change = await changeTree(root, 'test')
  await change.write(files, signal)
}

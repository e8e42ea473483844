import { finish, type Steps } from '../steps.ts'
import { type ApplyOptions, applyPatchSteps, type ApplyResult } from './apply.ts'
import { type FileState, overlayOf, type ReadFile } from './file-state.ts'
import type { PatchDocument } from './model.ts'
import { inPlace, newWork } from './work.ts'

export interface NamedPatch {
  /** What reports call it: usually its file name. */
  readonly name: string
  readonly patch: PatchDocument
  /** What a quilt series file says of this patch alone: wins over the option of the whole series. */
  readonly strip?: number
  /** The same for `-R`, which undoing the whole series turns round. */
  readonly reverse?: boolean
}

/** Whether a patch of a series is undone; `-R` of an entry and of the whole series cancel out. */
export const isReversed = ({ reverse = false }: NamedPatch, ofSeries = false): boolean => reverse !== ofSeries

export interface SeriesOptions extends ApplyOptions {
  /** Go on behind a refused patch, as if it were not in the series; else the series ends there. */
  readonly keepGoing?: boolean
}

export interface SeriesResult {
  readonly status: ApplyResult['status']
  /** What the series changed, patch upon patch; empty when any patch was refused. */
  readonly files: ReadonlyMap<string, FileState | undefined>
  /** In the order of the series; without those behind a refused one unless `keepGoing`. */
  readonly patches: readonly { readonly name: string; readonly result: ApplyResult }[]
}

/** Applies patches one upon the other without writing anything; all or nothing, like each of them. */
export const applySeries = (
  series: readonly NamedPatch[],
  readFile: ReadFile,
  options: SeriesOptions = {},
): SeriesResult => finish(applySeriesSteps(series, readFile, options))

/** The same, hunk by hunk. */
export function* applySeriesSteps(
  series: readonly NamedPatch[],
  readFile: ReadFile,
  options: SeriesOptions = {},
): Steps<SeriesResult> {
  const overlay = overlayOf(readFile)
  const patches: { name: string; result: ApplyResult }[] = []
  const work = options.work ?? newWork()
  let refused = false
  for (const named of series) {
    const { name, patch, strip = options.strip } = named
    let result: ApplyResult
    try {
      result = yield* applyPatchSteps(patch, overlay.read, {
        ...options,
        work,
        ...(strip === undefined ? {} : { strip }),
        reverse: isReversed(named, options.reverse),
      })
    } catch (error) {
      throw inPlace(error, name)
    }
    patches.push({ name, result })
    for (const [path, state] of result.files) overlay.write(path, state)
    if (result.status !== 'refused') continue
    refused = true
    if (options.keepGoing !== true) break
  }
  const files = refused ? new Map<string, FileState | undefined>() : overlay.changes()
  const isApplied = patches.some(({ result }) => result.status === 'applied')
  return { status: refused ? 'refused' : isApplied ? 'applied' : 'already-applied', files, patches }
}

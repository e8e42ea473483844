import { resolve } from 'node:path'
import { buildError } from '../core/errors.ts'
import { canonicalJson } from '../core/json.ts'
import { applySeries, type SeriesResult } from '../core/patch/series.ts'
import { loadPatches } from '../effects/patch-files.ts'
import { openTree, treeReader } from '../effects/patch-tree.ts'
import { writeTree } from '../effects/patch-tree-write.ts'
import { seriesJson } from '../report/patch-json.ts'
import { seriesText } from '../report/patch-text.ts'
import type { Io } from './io.ts'

export interface ApplyArguments {
  readonly tree: string
  readonly strip: number
  readonly reverse?: boolean
  readonly bestEffort?: boolean
  readonly dryRun?: boolean
  readonly json?: boolean
}

/** `fwbuild patch apply`: all patches, or none. */
export async function apply(names: readonly string[], options: ApplyArguments, io: Io): Promise<void> {
  const series = await loadPatches(names, io)
  const tree = openTree(resolve(io.cwd, options.tree))
  const result = applySeries(series, treeReader(tree), {
    strip: options.strip,
    reverse: options.reverse === true,
    bestEffort: options.bestEffort === true,
  })
  if (result.status === 'applied' && options.dryRun !== true) writeTree(tree, result.files)
  io.stdout(options.json === true ? canonicalJson(seriesJson('apply', result)) : seriesText(result))
  if (result.status === 'refused') throw refusedError(result)
}

function refusedError({ patches }: SeriesResult): Error {
  const refused = patches.filter(({ result }) => result.status === 'refused')
  const first = refused[0]?.result.refusals[0]
  const where =
    first === undefined
      ? ''
      : `: ${first.path}${first.hunk === undefined ? '' : ` hunk ${first.hunk}`}: ${first.reason}`
  return buildError(
    'E_PATCH_REFUSED',
    `${refused.map(({ name }) => name).join(', ')} does not fit this tree${where}`,
    {
      hint: 'nothing was changed',
    },
  )
}

import { basename, join, resolve } from 'node:path'
import { buildError, usageError } from '../core/errors.ts'
import { canonicalJson } from '../core/json.ts'
import { printPatch } from '../core/patch/print.ts'
import type { PatchDocument } from '../core/patch/model.ts'
import { printRejects } from '../core/patch/rejects.ts'
import { reverseFile } from '../core/patch/reverse.ts'
import { rewritePatch } from '../core/patch/rewrite.ts'
import { applySeries, type NamedPatch, type SeriesResult } from '../core/patch/series.ts'
import { writePatch } from '../effects/patch-files.ts'
import { blobReader } from '../effects/patch-blobs.ts'
import { openTree, treeReader } from '../effects/patch-tree.ts'
import { writeTree } from '../effects/patch-tree-write.ts'
import { seriesJson, seriesText, verdictTable } from '../report/patch.ts'
import { sideBySide } from '../report/patch-side-by-side.ts'
import type { Io } from './io.ts'
import { readPatches } from './patch-input.ts'
import { putPatch } from './patch-output.ts'

export interface ApplyFlags {
  readonly tree: string
  readonly strip: number
  readonly reverse?: boolean
  readonly bestEffort?: boolean
  readonly dryRun?: boolean
  readonly rewriteTo?: string
  readonly rejectTo?: string
  readonly show?: boolean
  readonly json?: boolean
}

interface Run {
  readonly series: readonly NamedPatch[]
  readonly result: SeriesResult
  /** Real path of the tree. */
  readonly tree: string
}

/** Applies patches as one series; writes nothing to the tree unless every hunk found its place. */
export async function applyCommand(names: readonly string[], flags: ApplyFlags, io: Io): Promise<void> {
  const run = await applyInMemory(names, flags, io, { keepGoing: false })
  report('apply', run, flags, io)
  if (flags.rejectTo !== undefined) writeRejects(run, resolve(io.cwd, flags.rejectTo), flags)
  refuse(run.result, 'the tree is unchanged')
  if (flags.rewriteTo !== undefined) writeRewritten(run, resolve(io.cwd, flags.rewriteTo), flags)
  if (flags.dryRun !== true) writeTree(run.tree, run.result.files)
}

/** Prints the table of verdicts for a whole series. */
export async function checkCommand(names: readonly string[], flags: ApplyFlags, io: Io): Promise<void> {
  const run = await applyInMemory(names, flags, io, { keepGoing: true })
  report('check', run, flags, io)
  refuse(run.result, 'the patches behind a refused one were tried without it')
}

/** Prints one patch as it should have been for the tree. */
export async function rewriteCommand(
  name: string,
  flags: ApplyFlags & { readonly output?: string },
  io: Io,
): Promise<void> {
  const { series, result } = await applyInMemory([name], flags, io, { keepGoing: false })
  const [only, outcome] = [series[0], result.patches[0]]
  if (only === undefined || outcome === undefined || series.length > 1) {
    throw usageError('E_PATCH_COUNT', 'rewrite takes one patch', {
      hint: 'for a series use: fwbuild patch apply --dry-run --rewrite-to DIR',
    })
  }
  io.stderr(seriesText(result))
  refuse(result, 'nothing was written')
  const { patch } = rewritePatch(only.patch, outcome.result, only.strip ?? flags.strip)
  if (patch.files.length === 0) io.stderr(`${name}: nothing remains, the tree has all of it\n`)
  putPatch(printPatch(patch), flags.output, io)
}

async function applyInMemory(
  names: readonly string[],
  flags: ApplyFlags,
  io: Io,
  { keepGoing }: { readonly keepGoing: boolean },
): Promise<Run> {
  if (flags.reverse === true && flags.rewriteTo !== undefined) {
    throw usageError('E_PATCH_REVERSE', '--rewrite-to does not go with --reverse')
  }
  const loaded = await readPatches(names, io)
  const series = flags.reverse === true ? loaded.toReversed() : loaded
  const tree = openTree(resolve(io.cwd, flags.tree))
  const result = applySeries(series, treeReader(tree), {
    strip: flags.strip,
    reverse: flags.reverse ?? false,
    bestEffort: flags.bestEffort ?? false,
    readBlob: blobReader(tree),
    keepGoing,
  })
  return { series, result, tree }
}

function report(command: 'apply' | 'check', { series, result }: Run, flags: ApplyFlags, io: Io): void {
  if (flags.json === true) {
    io.stdout(canonicalJson(seriesJson(command, result)))
    return
  }
  io.stdout(command === 'check' ? verdictTable(result) : seriesText(result))
  if (flags.show !== true) return
  const colour = io.stdoutIsTty && (io.env['NO_COLOR'] ?? '') === ''
  const options = { colour, columns: io.stdoutColumns ?? 160 }
  for (const [at, outcome] of result.patches.entries()) {
    const named = series[at]
    if (named === undefined) continue
    const files = inOrder(named, flags)
    const turned = isReversed(named, flags) ? files.map(reverseFile) : files
    io.stdout(sideBySide(outcome, { ...named.patch, files: turned }, options))
  }
}

function refuse({ patches }: SeriesResult, state: string): void {
  const refused = patches.filter(({ result }) => result.status === 'refused')
  const [first] = refused
  if (first === undefined) return
  const [reason] = first.result.refusals.map(
    ({ path, hunk, reason }) => `${path}${hunk === undefined ? '' : ` hunk ${hunk}`}: ${reason}`,
  )
  const more = refused.length > 1 ? ` (nor do ${refused.length - 1} more)` : ''
  throw buildError('E_PATCH_REFUSED', `${first.name} does not fit this tree${more}: ${reason ?? ''}`, {
    hint: `${state}; --best-effort takes the best place of a hunk where there is one`,
  })
}

/** The series as it should have been, with a quilt `series` file; patches of which nothing remains are left out. */
function writeRewritten({ series, result }: Run, folder: string, flags: ApplyFlags): void {
  const texts = new Map<string, string>()
  for (const [at, { name, patch, strip, reverse }] of series.entries()) {
    const outcome = result.patches[at]
    if (outcome === undefined) continue
    if (reverse === true) throw usageError('E_PATCH_REVERSE', `${name}: --rewrite-to does not go with -R`)
    const file = basename(name)
    if (texts.has(file)) throw usageError('E_PATCH_NAME', `--rewrite-to: two patches are called ${file}`)
    const rewritten = rewritePatch(patch, outcome.result, strip ?? flags.strip).patch
    if (rewritten.files.length > 0) texts.set(file, printPatch(rewritten))
  }
  for (const [file, text] of texts) writePatch(join(folder, file), text)
  const option = flags.strip === 1 ? '' : ` -p${flags.strip}`
  writePatch(join(folder, 'series'), [...texts.keys()].map((file) => `${file}${option}\n`).join(''))
}

function writeRejects({ series, result }: Run, folder: string, flags: ApplyFlags): void {
  for (const [at, named] of series.entries()) {
    const outcome = result.patches[at]?.result
    if (outcome === undefined) continue
    const rejects = printRejects({ ...named.patch, files: inOrder(named, flags) }, outcome)
    if (rejects !== '') writePatch(join(folder, `${basename(named.name)}.rej`), rejects)
  }
}

const isReversed = ({ reverse }: NamedPatch, flags: ApplyFlags): boolean => reverse ?? flags.reverse ?? false

/** The files of a patch as its placements list them: a patch is undone from its end. */
const inOrder = (named: NamedPatch, flags: ApplyFlags): PatchDocument['files'] =>
  isReversed(named, flags) ? named.patch.files.toReversed() : named.patch.files

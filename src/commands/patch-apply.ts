import { basename, join, resolve } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { buildError, cancelledError, usageError } from '../core/errors.ts'
import { canonicalJson } from '../core/json.ts'
import { isDocumentation } from '../core/patch/documentation.ts'
import { printPatch } from '../core/patch/print.ts'
import type { PatchDocument } from '../core/patch/model.ts'
import { printRejects } from '../core/patch/rejects.ts'
import { reverseFile } from '../core/patch/reverse.ts'
import { rewriteSteps } from '../core/patch/rewrite.ts'
import type { Refusal } from '../core/patch/apply.ts'
import { applySeriesSteps, isReversed, type NamedPatch, type SeriesResult } from '../core/patch/series.ts'
import { writePatch } from '../effects/patch-files.ts'
import { foldersOf } from '../effects/beneath/folders.ts'
import { blobReader } from '../effects/patch-blobs.ts'
import { inSlices } from '../effects/slices.ts'
import { openTree, treeReader } from '../effects/patch-tree.ts'
import { changeTree, expectSettled, type TreeChange } from '../effects/tree-change/change.ts'
import { seriesJson, seriesText, skippedText, verdictTable } from '../report/patch.ts'
import { sideBySide } from '../report/patch-side-by-side.ts'
import type { Io } from './io.ts'
import { readPatches } from './patch-input.ts'
import { putPatch } from './patch-output.ts'

export interface ApplyFlags {
  readonly tree: string
  readonly strip: number
  readonly reverse?: boolean
  readonly bestEffort?: boolean
  readonly skipDocs?: boolean
  readonly dryRun?: boolean
  readonly rewriteTo?: string
  readonly rejectTo?: string
  readonly show?: boolean
  readonly json?: boolean
}

interface Input {
  readonly series: readonly NamedPatch[]
  /** Real path of the tree. */
  readonly tree: string
}

interface Run extends Input {
  readonly result: SeriesResult
}

/** Applies patches as one series; writes nothing to the tree unless every hunk found its place. */
export async function applyCommand(names: readonly string[], flags: ApplyFlags, io: Io): Promise<void> {
  const input = await open(names, flags, io)
  if (flags.dryRun === true) {
    expectSettled(input.tree)
    await applyTo(undefined, input, flags, io)
    return
  }
  await using change = await changeTree(input.tree, 'fwbuild patch apply')
  if (change.recovered !== undefined) io.stderr(`${change.recovered}\n`)
  await applyTo(change, input, flags, io)
}

async function applyTo(
  change: TreeChange | undefined,
  input: Input,
  flags: ApplyFlags,
  io: Io,
): Promise<void> {
  const run = await inMemory(input, flags, io, { keepGoing: false })
  await stopIfInterrupted(io)
  report('apply', run, flags, io)
  if (flags.rejectTo !== undefined) writeRejects(run, resolve(io.cwd, flags.rejectTo), flags)
  refuse(run.result, 'the tree is unchanged', bestEffortHint)
  if (flags.rewriteTo !== undefined) await writeRewritten(run, resolve(io.cwd, flags.rewriteTo), flags, io)
  await change?.write(run.result.files, io.signal)
}

/** Prints the table of verdicts for a whole series. */
export async function checkCommand(names: readonly string[], flags: ApplyFlags, io: Io): Promise<void> {
  const input = await open(names, flags, io)
  expectSettled(input.tree)
  const run = await inMemory(input, flags, io, { keepGoing: true })
  report('check', run, flags, io)
  refuse(run.result, 'the patches behind a refused one were tried without it', undefined)
}

/** Prints one patch as it should have been for the tree. */
export async function rewriteCommand(
  name: string,
  flags: ApplyFlags & { readonly output?: string },
  io: Io,
): Promise<void> {
  const input = await open([name], flags, io)
  expectSettled(input.tree)
  const { series, result } = await inMemory(input, flags, io, { keepGoing: false })
  const [only, outcome] = [series[0], result.patches[0]]
  if (only === undefined || outcome === undefined || series.length > 1) {
    throw usageError('E_PATCH_COUNT', 'rewrite takes one patch', {
      hint: 'for a series use: fwbuild patch apply --dry-run --rewrite-to DIR',
    })
  }
  await stopIfInterrupted(io)
  io.stderr(seriesText(result))
  refuse(result, 'nothing was written', bestEffortHint)
  if (only.reverse === true) throw notRewritten(only.name)
  const { patch } = await inSlices(rewriteSteps(only.patch, outcome.result), io.signal)
  if (patch.files.length === 0) io.stderr(`${name}: nothing remains, the tree has all of it\n`)
  putPatch(printPatch(patch), flags.output, io)
}

/** Settles what a change that was killed has left in a tree. */
export async function recoverCommand(flags: { readonly tree: string }, io: Io): Promise<void> {
  const tree = openTree(resolve(io.cwd, flags.tree))
  await using change = await changeTree(tree, 'fwbuild patch recover')
  io.stdout(`${change.recovered ?? `${tree}: nothing was left to settle`}\n`)
}

/** Signals come between two turns of the event loop, and applying takes one: before anything is written, look. */
async function stopIfInterrupted({ signal }: Io): Promise<void> {
  await setImmediate()
  if (signal.aborted) throw cancelledError()
}

async function open(names: readonly string[], flags: ApplyFlags, io: Io): Promise<Input> {
  if (flags.reverse === true && flags.rewriteTo !== undefined) {
    throw usageError('E_PATCH_REVERSE', '--rewrite-to does not go with --reverse')
  }
  const loaded = await readPatches(names, io)
  const series = flags.reverse === true ? loaded.toReversed() : loaded
  return { series, tree: openTree(resolve(io.cwd, flags.tree)) }
}

async function inMemory(
  { series, tree }: Input,
  flags: ApplyFlags,
  io: Io,
  { keepGoing }: { readonly keepGoing: boolean },
): Promise<Run> {
  using folders = foldersOf(tree)
  const steps = applySeriesSteps(series, treeReader(tree, folders), {
    strip: flags.strip,
    reverse: flags.reverse ?? false,
    bestEffort: flags.bestEffort ?? false,
    skipDocs: flags.skipDocs ?? false,
    readBlob: blobReader(tree),
    keepGoing,
  })
  return { series, result: await inSlices(steps, io.signal), tree }
}

function report(command: 'apply' | 'check', { series, result }: Run, flags: ApplyFlags, io: Io): void {
  if (flags.json === true) {
    io.stdout(canonicalJson(seriesJson(command, result)))
    return
  }
  io.stdout(command === 'check' ? verdictTable(result) : seriesText(result))
  io.stderr(skippedText(result))
  if (flags.show !== true) return
  const colour = io.stdoutIsTty && (io.env['NO_COLOR'] ?? '') === ''
  const options = { colour, columns: io.stdoutColumns ?? 160 }
  for (const [at, outcome] of result.patches.entries()) {
    const named = series[at]
    if (named === undefined) continue
    const files = inOrder(named, flags)
    const turned = isReversed(named, flags.reverse) ? files.map(reverseFile) : files
    io.stdout(sideBySide(outcome, { ...named.patch, files: turned }, options))
  }
}

const docsHint = 'the code is whole: --skip-docs leaves the documentation out'
const bestEffortHint = '--best-effort takes the best place of a hunk where there is one'

/** @param forHunks what helps where a hunk has no sure place */
function refuse({ patches }: SeriesResult, state: string, forHunks: string | undefined): void {
  const refused = patches.filter(({ result }) => result.status === 'refused')
  const [first] = refused
  const refusals = first?.result.refusals ?? []
  // What is wrong with the code is what must be mended.
  const refusal = refusals.find(({ path }) => !isDocumentation(path)) ?? refusals[0]
  if (first === undefined || refusal === undefined) return
  const { path, hunk, reason } = refusal
  const where = `${path}${hunk === undefined ? '' : ` hunk ${hunk}`}`
  const more = refused.length > 1 ? ` (nor do ${refused.length - 1} more)` : ''
  const help = helpFor(refusal, forHunks)
  throw buildError('E_PATCH_REFUSED', `${first.name} does not fit this tree${more}: ${where}: ${reason}`, {
    hint: help === undefined ? state : `${state}; ${help}`,
  })
}

function helpFor({ path, hunk, unfound }: Refusal, forHunks: string | undefined): string | undefined {
  if (isDocumentation(path)) return docsHint
  if (unfound) return '-p N strips N components of the names, --tree DIR names the tree that they are for'
  return hunk === undefined ? undefined : forHunks
}

const notRewritten = (name: string): Error =>
  usageError('E_PATCH_REVERSE', `${name}: a patch that the series marks -R can not be rewritten`)

/** The series as it should have been, with a quilt `series` file; patches of which nothing remains are left out. */
async function writeRewritten(
  { series, result }: Run,
  folder: string,
  flags: ApplyFlags,
  { signal }: Io,
): Promise<void> {
  const texts = new Map<string, string>()
  const entries: string[] = []
  for (const [at, { name, patch, strip = flags.strip, reverse }] of series.entries()) {
    const outcome = result.patches[at]
    if (outcome === undefined) continue
    if (reverse === true) throw notRewritten(name)
    const file = basename(name)
    if (texts.has(file)) throw usageError('E_PATCH_NAME', `--rewrite-to: two patches are called ${file}`)
    const { patch: rewritten } = await inSlices(rewriteSteps(patch, outcome.result), signal)
    if (rewritten.files.length === 0) continue
    texts.set(file, printPatch(rewritten))
    entries.push(`${file}${strip === 1 ? '' : ` -p${strip}`}\n`)
  }
  for (const [file, text] of texts) writePatch(join(folder, file), text)
  writePatch(join(folder, 'series'), entries.join(''))
}

function writeRejects({ series, result }: Run, folder: string, flags: ApplyFlags): void {
  for (const [at, named] of series.entries()) {
    const outcome = result.patches[at]?.result
    if (outcome === undefined) continue
    const rejects = printRejects({ ...named.patch, files: inOrder(named, flags) }, outcome)
    if (rejects !== '') writePatch(join(folder, `${basename(named.name)}.rej`), rejects)
  }
}

/** The files of a patch as its placements list them: a patch is undone from its end. */
const inOrder = (named: NamedPatch, flags: ApplyFlags): PatchDocument['files'] =>
  isReversed(named, flags.reverse) ? named.patch.files.toReversed() : named.patch.files

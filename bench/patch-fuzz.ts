import { pathToFileURL } from 'node:url'
import { applyPatch } from '../src/core/patch/apply.ts'
import type { FileState } from '../src/core/patch/file-state.ts'
import { bytesOf } from '../src/core/patch/lines.ts'
import { unsafeName } from '../src/core/patch/unsafe-name.ts'
import { parsePatch } from '../src/core/patch/parse.ts'
import { printPatch } from '../src/core/patch/print.ts'
import { rewritePatch } from '../src/core/patch/rewrite.ts'
import { diffText, randomEdits, sourceLines } from './patch-input.ts'
import { type Random, randomFrom } from './random.ts'

/** Time of the processor. */
const slowMs = 2000

/** What a run found; `failures` should be empty. */
export interface FuzzResult {
  readonly runs: number
  readonly applied: number
  readonly failures: readonly string[]
}

/**
 * Feeds random and damaged patches to the engine. Each must be parsed and printed back byte by byte, and
 * applied or refused without a crash, within two seconds of processor time, and without a name outside the tree.
 */
export function fuzzPatches(runs: number, seed: number): FuzzResult {
  const failures: string[] = []
  let applied = 0
  for (let run = 0; run < runs && failures.length < 20; run++) {
    const random = randomFrom(seed + run)
    const tree = random.below(50)
    const text = randomPatch(random, tree)
    const started = process.cpuUsage()
    try {
      applied += exercise(text, random.chance(0.8) ? tree : random.below(50), random) ? 1 : 0
    } catch (error) {
      failures.push(`seed ${seed + run}: ${String(error)}\n${text}`)
    }
    // Of this process alone: on a busy machine the clock also counts what others do.
    const { user, system } = process.cpuUsage(started)
    const spentMs = (user + system) / 1000
    if (spentMs > slowMs) failures.push(`seed ${seed + run}: took ${spentMs.toFixed(0)} ms\n${text}`)
  }
  return { runs, applied, failures }
}

const paths = ['a.c', 'dir/b.h', 'deep/er/c'] as const

function exercise(text: string, seed: number, random: Random): boolean {
  const patch = parsePatch(text)
  if (printPatch(patch) !== text) throw new Error('printing does not give back what was parsed')
  const tree = new Map<string, FileState>(
    paths.map((path, at) => [
      path,
      { bytes: bytesOf(filesOf(seed)[at] ?? ''), mode: 0o100644, kind: 'file' },
    ]),
  )
  const options = {
    strip: random.chance(0.8) ? 1 : random.below(3),
    reverse: random.chance(0.2),
    bestEffort: random.chance(0.3),
  }
  const result = applyPatch(patch, (path) => tree.get(path), options)
  for (const path of result.files.keys())
    if (unsafeName(path) !== undefined) throw new Error(`writes ${path}`)
  if (result.status !== 'refused' && !options.reverse) rewritePatch(patch, result)
  return result.status === 'applied'
}

const made = new Map<number, readonly string[]>()

/** The same few trees over and over, so that many patches meet files they were made for. */
function filesOf(seed: number): readonly string[] {
  const known = made.get(seed)
  if (known !== undefined) return known
  const random = randomFrom(seed)
  const files = paths.map(() => sourceLines(random, 10 + random.below(60)).join(''))
  made.set(seed, files)
  return files
}

const odd = [
  '../../etc/passwd',
  '/etc/passwd',
  '.git/config',
  'a/.GIT/hooks/x',
  'a//b',
  './c',
  'x\0y',
  '"quoted\\303\\244"',
  '/dev/null',
  '"a/unterminated',
] as const

const fragments = [
  'diff --git a/a.c b/a.c\nold mode 100644\nnew mode 100755\n',
  'diff --git a/a.c b/x.c\nsimilarity index 90%\nrename from a.c\nrename to x.c\n',
  'diff --git a/n b/n\nnew file mode 120000\n--- /dev/null\n+++ b/n\n@@ -0,0 +1 @@\n+../../x\n\\ No newline at end of file\n',
  'GIT binary patch\nliteral 3\nKcmZQz\n\n',
  '@@ -1,99999999999 +1 @@\n',
  '@@@ -1,2 -1,2 +1,3 @@@\n',
  '-- \n2.39.2\n\n',
  '\\ No newline at end of file\n',
  '*** a\n--- b\n***************\n',
  '\r\n',
] as const

function randomPatch(random: Random, seed: number): string {
  const at = random.below(paths.length)
  const lines = (filesOf(seed)[at] ?? '').match(/[^\n]*\n/g) ?? []
  let text = diffText(paths[at] ?? 'a.c', lines, randomEdits(random, lines.length, 1 + random.below(3)))
  for (let left = random.below(5); left > 0; left--) text = damage(text, random)
  return text
}

function damage(text: string, random: Random): string {
  const at = random.below(text.length + 1)
  const line = text.lastIndexOf('\n', at) + 1
  const next = text.indexOf('\n', at) + 1 || text.length
  switch (random.below(9)) {
    case 0:
      return text.slice(0, at) + String.fromCharCode(random.below(256)) + text.slice(at + 1)
    case 1:
      return text.slice(0, line) + text.slice(next)
    case 2:
      return text.slice(0, line) + text.slice(line, next).repeat(1 + random.below(4)) + text.slice(next)
    case 3:
      return text.slice(0, line) + random.pick(fragments) + text.slice(line)
    case 4:
      return text.replace(/b\/\S+/, () => random.pick(odd))
    case 5:
      return text.replace(/\d+/, () => String(random.below(200)))
    case 6:
      return text.slice(0, at)
    case 7:
      return text.replaceAll('\n', random.chance(0.5) ? '\r\n' : '\n')
    default:
      return text + text
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [runs = '1000000', seed = '1'] = process.argv.slice(2)
  const started = performance.now()
  const result = fuzzPatches(Number(runs), Number(seed))
  for (const failure of result.failures) console.error(failure)
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(
    `${result.runs} patches, ${result.applied} applied, ${result.failures.length} failures, ${seconds} s`,
  )
  process.exitCode = result.failures.length === 0 ? 0 : 1
}

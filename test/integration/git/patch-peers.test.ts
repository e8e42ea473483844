import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { ExecutionContext } from 'ava'
import { diffText, randomEdits, sourceLines } from '../../../bench/patch-input.ts'
import { randomFrom } from '../../../bench/random.ts'
import { applyPatch } from '../../../src/core/patch/apply.ts'
import { binaryString } from '../../../src/core/patch/lines.ts'
import { parsePatch } from '../../../src/core/patch/parse.ts'
import { printPatch } from '../../../src/core/patch/print.ts'
import { rewritePatch } from '../../../src/core/patch/rewrite.ts'
import { needProgram, testWith } from '../../helpers/need.ts'
import { fileState } from '../../helpers/patch.ts'

const gnuPatch = ['patch', '-p1', '-s', '-f', '--no-backup-if-mismatch']

/** Runs a program on a tree of one file; undefined when it refuses. */
function peer(command: readonly string[], before: string, patch: string): string | undefined {
  const tree = mkdtempSync(path.join(tmpdir(), 'fwbuild-peer-'))
  try {
    writeFileSync(path.join(tree, 'f.c'), before, 'latin1')
    const [program = '', ...args] = command
    const env = { ...process.env, GIT_CEILING_DIRECTORIES: path.dirname(tree) }
    const run = spawnSync(program, args, { cwd: tree, input: Buffer.from(patch, 'latin1'), env })
    return run.status === 0 ? readFileSync(path.join(tree, 'f.c'), 'latin1') : undefined
  } finally {
    rmSync(tree, { recursive: true, force: true })
  }
}

function ours(
  before: string,
  patch: string,
): { readonly text: string | undefined; readonly rewritten: string } {
  const document = parsePatch(patch)
  const result = applyPatch(document, (name) => (name === 'f.c' ? fileState(before) : undefined))
  if (result.status === 'refused') return { text: undefined, rewritten: '' }
  const state = result.files.get('f.c')
  return {
    text: state === undefined ? before : binaryString(state.bytes),
    rewritten: printPatch(rewritePatch(document, result).patch),
  }
}

function compare(t: ExecutionContext, headLines: number): void {
  let compared = 0
  for (let seed = 1; seed <= 40; seed++) {
    const random = randomFrom(seed)
    const lines = sourceLines(random, 40 + random.below(60))
    const patch = diffText('f.c', lines, randomEdits(random, lines.length, 3))
    const before = sourceLines(randomFrom(seed + 1000), headLines).join('') + lines.join('')
    const mine = ours(before, patch)
    const theirs = peer(gnuPatch, before, patch)
    // Refusing where a peer guesses is allowed; another result is not.
    if (mine.text === undefined || theirs === undefined) continue
    compared++
    t.is(mine.text, theirs, `seed ${seed}`)
    t.is(
      peer(['git', 'apply'], before, mine.rewritten),
      mine.text,
      `git apply takes the rewritten patch, seed ${seed}`,
    )
    t.is(peer([...gnuPatch, '-F0'], before, mine.rewritten), mine.text, `patch -F0 takes it, seed ${seed}`)
  }
  t.true(compared >= 25, `${compared} of 40 could be compared`)
}

const needs = [needProgram('patch'), needProgram('git')]

testWith(needs, 'the same result as GNU patch where the patch fits exactly', (t) => compare(t, 0))
testWith(needs, 'the same result as GNU patch where lines were put ahead', (t) => compare(t, 17))

const repository = process.env['FWBUILD_LEDE_REPO']

testWith(
  [
    {
      name: 'a clone of the OpenWrt tree in FWBUILD_LEDE_REPO',
      present: repository !== undefined || process.env['CI'] === 'true',
    },
  ],
  'every patch of the OpenWrt tree is printed as it was parsed',
  (t) => {
    if (repository === undefined) return t.pass('no clone on this machine')
    const git = (args: readonly string[], input?: string): Buffer =>
      spawnSync('git', ['--git-dir', repository, ...args], {
        maxBuffer: 2 ** 31,
        ...(input === undefined ? {} : { input }),
      }).stdout
    const blobs = git(['ls-tree', '-r', 'main'])
      .toString('latin1')
      .matchAll(/^\d+ blob (\w+)\t.*\.patch$/gm)
    const batch = git(['cat-file', '--batch'], `${[...blobs].map(([, id]) => id).join('\n')}\n`)
    let count = 0
    for (let at = 0; at < batch.length;) {
      const head = batch.indexOf(10, at)
      const size = Number(/ blob (\d+)$/.exec(batch.toString('latin1', at, head))?.[1] ?? -1)
      if (size >= 0) {
        const text = batch.toString('latin1', head + 1, head + 1 + size)
        t.true(printPatch(parsePatch(text)) === text)
        count++
      }
      at = head + 2 + size
    }
    return t.true(count > 1000)
  },
)

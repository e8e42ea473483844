import { spawnSync } from 'node:child_process'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { applyPatch } from '../src/core/patch/apply.ts'
import type { FileState } from '../src/core/patch/file-state.ts'
import { bytesOf } from '../src/core/patch/lines.ts'
import { parsePatch } from '../src/core/patch/parse.ts'
import { applyEdits } from '../src/core/patch/placement.ts'
import { applySeries } from '../src/core/patch/series.ts'
import { loadPatches } from '../src/effects/patch-files.ts'
import { treeReader } from '../src/effects/patch-tree.ts'
import { changeTree } from '../src/effects/tree-change/change.ts'
import { diffText, randomEdits, sourceLines } from './patch-input.ts'
import { randomFrom } from './random.ts'

/**
 * Measures the patch engine.
 * @param args a kernel tree and an OpenWrt tree whose generic and x86 series fit it (or FWBUILD_BENCH_KERNEL
 *   and FWBUILD_BENCH_OPENWRT); a synthetic tree and series stand in for them
 */
export async function run(args: readonly string[]): Promise<void> {
  const kernel = args[0] ?? process.env['FWBUILD_BENCH_KERNEL']
  const openwrt = args[1] ?? process.env['FWBUILD_BENCH_OPENWRT']
  const work = fs.mkdtempSync(path.join(tmpdir(), 'fwbuild-bench-'))
  try {
    const input =
      kernel === undefined || openwrt === undefined ? synthetic(work) : await real(kernel, openwrt, work)
    await series(input, work)
  } finally {
    fs.rmSync(work, { recursive: true, force: true })
  }
  largeFile()
  growth()
}

interface SeriesInput {
  readonly tree: string
  readonly patches: readonly string[]
}

function synthetic(work: string): SeriesInput {
  const [tree, folder] = [path.join(work, 'tree'), path.join(work, 'made')]
  fs.mkdirSync(tree)
  fs.mkdirSync(folder)
  const random = randomFrom(1)
  const patches = Array.from({ length: 200 }, (_, at) => {
    const lines = sourceLines(random, 1000)
    const patch = path.join(folder, `${String(at).padStart(3, '0')}.patch`)
    fs.writeFileSync(path.join(tree, `f${at}.c`), lines.join(''))
    fs.writeFileSync(patch, diffText(`f${at}.c`, lines, randomEdits(random, lines.length, 5)))
    return patch
  })
  return { tree, patches }
}

async function real(kernel: string, openwrt: string, work: string): Promise<SeriesInput> {
  const target = path.join(openwrt, 'target/linux')
  const suffix = fs
    .readdirSync(path.join(target, 'x86'))
    .map((name) => /^patches-(.*)$/.exec(name)?.[1])
    .find((one) => one !== undefined)
  const folders = ['backport', 'pending', 'hack'].map((name) =>
    path.join(target, 'generic', `${name}-${suffix}`),
  )
  const patches = [...folders, path.join(target, 'x86', `patches-${suffix}`)].flatMap((folder) =>
    fs.existsSync(folder)
      ? fs
          .readdirSync(folder)
          .filter((name) => name.endsWith('.patch'))
          .sort()
          .map((name) => path.join(folder, name))
      : [],
  )
  // Only what the series touches, so that copies are cheap.
  const tree = path.join(work, 'tree')
  fs.mkdirSync(tree)
  for (const { patch } of await loadPatches(patches, '/')) {
    for (const file of patch.files) {
      for (const name of [file.oldName, file.newName]) {
        const plain = name?.split('/').slice(1).join('/')
        if (plain !== undefined && fs.existsSync(path.join(kernel, plain))) copy(kernel, tree, plain)
      }
    }
  }
  for (const extra of ['files', `files-${suffix}`]) {
    const folder = path.join(target, 'generic', extra)
    if (fs.existsSync(folder)) fs.cpSync(folder, tree, { recursive: true })
  }
  return { tree, patches }
}

function copy(from: string, to: string, name: string): void {
  fs.mkdirSync(path.dirname(path.join(to, name)), { recursive: true })
  fs.copyFileSync(path.join(from, name), path.join(to, name))
}

/** What applies in this tree, so that all three programs do the same work. */
async function applicable(input: SeriesInput): Promise<string[]> {
  const named = await loadPatches(input.patches, '/')
  const { patches } = applySeries(named, treeReader(input.tree), { keepGoing: true })
  return input.patches.filter((_, at) => patches[at]?.result.status !== 'refused')
}

async function series(input: SeriesInput, work: string): Promise<void> {
  const patches = await applicable(input)
  console.log(`series: ${patches.length} of ${input.patches.length} patches`)
  const fresh = (name: string): string => {
    const folder = path.join(work, name)
    fs.cpSync(input.tree, folder, { recursive: true })
    return folder
  }
  const ours = fresh('ours')
  const mine = await timed('fwbuild, one process', async () => {
    await using change = await changeTree(ours, 'bench')
    const result = applySeries(await loadPatches(patches, '/'), treeReader(ours))
    await change.write(result.files)
  })
  const looped = fresh('loop')
  const loop = await timed('loop of patch -p1', () => {
    for (const file of patches) {
      spawnSync('patch', ['-p1', '-s', '-f', '--no-backup-if-mismatch', '-d', looped, '-i', file], {
        stdio: 'ignore',
      })
    }
  })
  console.log(`  fwbuild / loop: ${(mine / loop).toFixed(2)}`)
  if (spawnSync('quilt', ['--version'], { stdio: 'ignore' }).status !== 0) {
    console.log('  quilt: not installed')
    return
  }
  const quilted = fresh('quilt')
  const folder = path.join(quilted, 'patches')
  fs.mkdirSync(folder)
  const names = patches.map((file, at) => `${String(at).padStart(4, '0')}-${path.basename(file)}`)
  for (const [at, file] of patches.entries()) fs.copyFileSync(file, path.join(folder, names[at] ?? ''))
  fs.writeFileSync(path.join(folder, 'series'), `${names.join('\n')}\n`)
  const quilt = await timed('quilt push -aq', () => {
    spawnSync('quilt', ['push', '-aq'], {
      cwd: quilted,
      stdio: 'ignore',
      env: { ...process.env, QUILT_PATCHES: 'patches' },
    })
  })
  console.log(`  fwbuild / quilt: ${(mine / quilt).toFixed(2)}`)
}

async function timed(title: string, work: () => void | Promise<void>): Promise<number> {
  const started = performance.now()
  await work()
  const ms = performance.now() - started
  console.log(`  ${title}: ${ms.toFixed(0)} ms`)
  return ms
}

/** A hunk of 100 lines in a file of so many; the file drifted, so that exact text is not enough. */
function applyMs(lineCount: number, drifted: boolean): number {
  const random = randomFrom(lineCount)
  const lines = sourceLines(random, lineCount)
  const middle = Math.floor(lineCount / 2)
  const added = Array.from({ length: 100 }, (_, at) => `\tadded(${at});\n`)
  const patch = diffText('f.c', lines, [{ at: middle, removed: 0, added }])
  const head = sourceLines(randomFrom(lineCount + 1), 40)
  const moved = drifted
    ? [...head, ...applyEdits(lines, [{ at: middle - 2, removed: 1, added: ['\tother();\n'] }])]
    : lines
  const state: FileState = { bytes: bytesOf(moved.join('')), mode: 0o100644, kind: 'file' }
  const times = Array.from({ length: 7 }, () => {
    const started = performance.now()
    applyPatch(parsePatch(patch), () => state, { bestEffort: true })
    return performance.now() - started
  })
  return times.toSorted((a, b) => a - b)[3] ?? 0
}

function largeFile(): void {
  console.log('a 7,000-line file and a 100-line hunk (median of 7)')
  console.log(
    `  exact: ${applyMs(7000, false).toFixed(1)} ms, drifted: ${applyMs(7000, true).toFixed(1)} ms (goal: below 50)`,
  )
}

function growth(): void {
  console.log('cost by length of the file, drifted hunk')
  for (const count of [2000, 8000, 32_000, 128_000]) {
    console.log(`  ${String(count).padStart(7)} lines: ${applyMs(count, true).toFixed(1)} ms`)
  }
}

import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import * as fs from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { phases } from '../../src/effects/tree-change/journal.ts'

export interface Killed {
  /** The phase in which the process died, as its journal tells; undefined outside of any. */
  readonly phase: string | undefined
  /** What the tree was after it was settled, before anything else ran. */
  readonly settled: 'old' | 'new'
}

/** A tree and a series that changes, makes, deletes and empties folders, some thirty lines a file. */
export function seriesOf(files: number, folder: string): { readonly tree: string; readonly patches: string } {
  const [tree, patches] = [join(folder, 'tree'), join(folder, 'patches')]
  fs.mkdirSync(patches, { recursive: true })
  const perPatch = 20
  let patch = ''
  for (let at = 0; at < files; at++) {
    const name = `d${at % 40}/e${at % 7}/f${at}.c`
    const lines = Array.from({ length: 30 }, (_, line) => `line ${line} of ${at};\n`)
    const write = (kept: readonly string[]): void => {
      fs.mkdirSync(join(tree, name, '..'), { recursive: true })
      fs.writeFileSync(join(tree, name), kept.join(''))
    }
    if (at % 10 === 0) patch += `--- /dev/null\n+++ b/new${at % 3}/${name}\n@@ -0,0 +1 @@\n+new ${at}\n`
    else if (at % 10 === 1) {
      const gone = lines.slice(0, 3)
      write(gone)
      patch += `--- a/${name}\n+++ /dev/null\n@@ -1,3 +0,0 @@\n${gone.map((line) => `-${line}`).join('')}`
    } else {
      write(lines)
      const body = lines.slice(8, 15).map((line, row) => (row === 3 ? `-${line}+new ${at}\n` : ` ${line}`))
      patch += `--- a/${name}\n+++ b/${name}\n@@ -9,7 +9,7 @@\n${body.join('')}`
    }
    if (at % perPatch !== perPatch - 1 && at !== files - 1) continue
    fs.writeFileSync(join(patches, `${String(at).padStart(6, '0')}.patch`), patch)
    patch = ''
  }
  return { tree, patches }
}

/** Everything below a folder: names, modes and contents. */
export function contentOf(root: string): string {
  const hash = createHash('sha256')
  for (const name of fs.readdirSync(root, { recursive: true, encoding: 'utf8' }).toSorted()) {
    const stats = fs.lstatSync(join(root, name))
    hash.update(`${name} ${stats.mode} ${stats.nlink} `)
    if (stats.isFile()) hash.update(fs.readFileSync(join(root, name)))
  }
  return hash.digest('hex')
}

/** Runs fwbuild, and kills it with SIGKILL when `when` resolves. @returns its exit code, -1 when killed */
export async function fwbuild(args: readonly string[], when?: () => Promise<void>): Promise<number> {
  const child = spawn(process.execPath, [resolve('dist/src/cli.js'), ...args], { stdio: 'ignore' })
  const ended = new Promise<number>((done) => child.on('close', (code) => done(code ?? -1)))
  if (when !== undefined) {
    await Promise.race([ended, when()])
    child.kill('SIGKILL')
  }
  return ended
}

/**
 * Kills an apply at some moment, settles the tree and applies again.
 * @param work where the tree is copied to; emptied
 * @param delayMs from the start of the process, or from when it begins to write
 * @throws Error where the tree is neither old nor new, or anything is left
 */
export async function killedApply(
  series: { readonly tree: string; readonly patches: string },
  work: string,
  expected: { readonly old: string; readonly new: string },
  when: { readonly from: 'start' | 'write'; readonly delayMs: number },
): Promise<Killed> {
  fs.rmSync(work, { recursive: true, force: true })
  fs.cpSync(series.tree, work, { recursive: true })
  const folder = join(work, '.fwbuild-apply')
  const apply = ['patch', 'apply', '--tree', work, series.patches]
  await fwbuild(apply, async () => {
    while (when.from === 'write' && !phases.some((phase) => fs.existsSync(join(folder, phase))))
      await sleep(1)
    await sleep(when.delayMs)
  })
  const phase = phases.findLast((name) => fs.existsSync(join(folder, name)))
  if ((await fwbuild(['patch', 'recover', '--tree', work])) !== 0) throw new Error('recover failed')
  const settled = contentOf(work)
  if (settled !== expected.old && settled !== expected.new) throw new Error(`${work}: neither old nor new`)
  if ((await fwbuild(apply)) !== 0) throw new Error('the next apply failed')
  if (contentOf(work) !== expected.new) throw new Error(`${work}: the next apply left something else`)
  return { phase, settled: settled === expected.old ? 'old' : 'new' }
}

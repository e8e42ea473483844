import { spawn } from 'node:child_process'
import * as fs from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { treeReader } from '../../../src/effects/patch-tree.ts'
import { contentOf } from '../../helpers/killed-apply.ts'
import { fileState, writeTree } from '../../helpers/patch.ts'
import { temporaryFolders } from '../../helpers/temporary.ts'

const folder = temporaryFolders()

/** Without a pause: folder `d` of a tree becomes a link to another folder of the same shape, and is put back. */
const swapper = `
const fs = require('node:fs')
const [tree, outside] = process.argv.slice(1)
process.chdir(tree)
const attempt = (action) => { try { action() } catch {} }
for (;;) {
  attempt(() => fs.renameSync('d', 'real'))
  attempt(() => fs.symlinkSync(outside, 'd'))
  attempt(() => fs.unlinkSync('d'))
  attempt(() => fs.renameSync('real', 'd'))
}
`

test('folders that become links while a tree is read and written lead nowhere', async (t) => {
  const [tree, outside] = [folder(), folder()]
  for (const root of [join(tree, 'd'), outside]) {
    fs.mkdirSync(join(root, 'sub'), { recursive: true })
    fs.writeFileSync(join(root, 'sub/gone'), 'secret\n')
    fs.writeFileSync(join(root, 'sub/f'), root === outside ? 'secret\n' : 'old\n')
  }
  const before = contentOf(outside)
  const child = spawn(process.execPath, ['-e', swapper, tree, outside], { stdio: 'ignore' })
  try {
    while (!fs.existsSync(join(tree, 'real'))) await sleep(1)
    let written = 0
    for (let round = 0; round < 300; round++) {
      const changes = new Map([
        ['d/sub/f', fileState(`new ${round}\n`)],
        ['d/sub/gone', round % 2 === 0 ? undefined : fileState('old\n')],
        [`d/sub/made${round}/f`, fileState('new\n')],
      ])
      try {
        await writeTree(tree, changes)
        written++
      } catch (error) {
        t.regex((error as { code: string }).code, /^E_TREE_/)
        // What could not be put back waits for a quiet moment.
        fs.rmSync(join(tree, '.fwbuild-apply'), { recursive: true, force: true })
      }
      try {
        const bytes = treeReader(tree)('d/sub/f')?.bytes
        t.false(bytes !== undefined && Buffer.from(bytes).includes('secret'))
      } catch (error) {
        t.is((error as { code: string }).code, 'E_TREE_READ')
      }
    }
    t.true(written > 0)
  } finally {
    child.kill('SIGKILL')
  }
  t.is(contentOf(outside), before)
})

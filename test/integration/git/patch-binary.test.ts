import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { applyPatch } from '../../../src/core/patch/apply.ts'
import { parsePatch } from '../../../src/core/patch/parse.ts'
import { printPatch } from '../../../src/core/patch/print.ts'
import { treeReader } from '../../../src/effects/patch-tree.ts'
import { needProgram, testWith } from '../../helpers/need.ts'
import { writeTree } from '../../helpers/patch.ts'

testWith(
  [needProgram('git')],
  'what git says of binary files, modes, renames and links is applied and undone',
  async (t) => {
    const root = mkdtempSync(path.join(tmpdir(), 'fwbuild-binary-'))
    const git = (...args: string[]): string =>
      execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', '-C', root, ...args], {
        encoding: 'latin1',
      })
    const noise = Buffer.from(Array.from({ length: 5000 }, (_, at) => (at * at * 31) & 255))
    git('init', '-q')
    writeFileSync(path.join(root, 'delta.bin'), noise)
    writeFileSync(path.join(root, 'gone.bin'), noise.subarray(0, 700))
    writeFileSync(path.join(root, 'moved.txt'), 'one\ntwo\nthree\nfour\nfive\n')
    writeFileSync(path.join(root, 'run'), '#!/bin/sh\n')
    git('add', '.')
    git('commit', '-qm', 'before')
    writeFileSync(
      path.join(root, 'delta.bin'),
      Buffer.concat([noise.subarray(0, 2000), Buffer.from([0, 1, 2]), noise.subarray(2100)]),
    )
    writeFileSync(path.join(root, 'fresh.bin'), noise.subarray(100, 300))
    rmSync(path.join(root, 'gone.bin'))
    git('mv', 'moved.txt', 'ä moved.txt')
    writeFileSync(path.join(root, 'ä moved.txt'), 'one\ntwo\nTHREE\nfour\nfive\n')
    chmodSync(path.join(root, 'run'), 0o755)
    git('add', '-A')
    git('commit', '-qm', 'after')
    const text = git('format-patch', '--binary', '-1', '--stdout')
    const patch = parsePatch(text)
    t.is(printPatch(patch), text)
    t.deepEqual(patch.problems, [])

    const backward = applyPatch(patch, treeReader(root), { reverse: true })
    t.deepEqual(backward.refusals, [])
    await writeTree(root, backward.files)
    git('add', '-A')
    t.is(git('diff', '--cached', 'HEAD~1', '--stat'), '')
    t.deepEqual(readFileSync(path.join(root, 'delta.bin')), noise)

    const forward = applyPatch(patch, treeReader(root))
    t.deepEqual(forward.refusals, [])
    await writeTree(root, forward.files)
    git('add', '-A')
    t.is(git('status', '--porcelain'), '')
    t.is(applyPatch(patch, treeReader(root)).status, 'already-applied')

    writeFileSync(path.join(root, 'delta.bin'), 'another file')
    t.regex(applyPatch(patch, treeReader(root)).refusals[0]?.reason ?? '', /not the one/)
  },
)

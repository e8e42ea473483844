import * as fs from 'node:fs'
import path from 'node:path'
import test from 'ava'
import { FwbuildError } from '../../../src/core/errors.ts'
import type { FileState } from '../../../src/core/patch/file-state.ts'
import { treeReader } from '../../../src/effects/patch-tree.ts'
import { cli } from '../../helpers/cli.ts'
import { fileState, numbered, writeTree } from '../../helpers/patch.ts'
import { temporaryFolders } from '../../helpers/temporary.ts'

const folder = temporaryFolders()

const everything = (root: string): string[] =>
  fs.readdirSync(root, { recursive: true, encoding: 'utf8' }).toSorted()

test('writes, makes directories, changes modes, and removes what is gone with its directory', async (t) => {
  const root = folder()
  fs.mkdirSync(path.join(root, 'old'))
  fs.writeFileSync(path.join(root, 'old/f'), 'x')
  fs.writeFileSync(path.join(root, 'run'), '#!/bin/sh\n', { mode: 0o644 })
  await writeTree(
    root,
    new Map<string, FileState | undefined>([
      ['a/b/c', fileState('new\n')],
      ['old/f', undefined],
      ['run', fileState('#!/bin/sh\n', 0o100755)],
    ]),
  )
  t.deepEqual(everything(root), ['a', 'a/b', 'a/b/c', 'run'])
  t.is(fs.statSync(path.join(root, 'run')).mode & 0o111, 0o111)
  t.is(treeReader(root)('run')?.mode, 0o100755)
  t.is(treeReader(root)('a')?.kind, 'other')
  t.is(treeReader(root)('none/such'), undefined)
})

test('a failure half way leaves the tree as it was', async (t) => {
  const root = folder()
  fs.writeFileSync(path.join(root, 'a'), 'old a')
  // A directory that is not empty can not be exchanged for a file and removed again.
  fs.writeFileSync(path.join(root, 'file'), 'x')
  const before = everything(root)
  const changes = new Map<string, FileState | undefined>([
    ['a', fileState('new a')],
    ['fresh/sub/b', fileState('new b')],
    ['file/below', fileState('impossible')],
  ])
  const error = await t.throwsAsync(writeTree(root, changes), { instanceOf: FwbuildError })
  t.is(error?.code, 'E_TREE_WRITE')
  t.deepEqual(everything(root), before)
  t.is(fs.readFileSync(path.join(root, 'a'), 'utf8'), 'old a')
})

test('no symbolic link is followed, neither reading nor writing', async (t) => {
  const [root, outside] = [folder(), folder()]
  fs.symlinkSync(outside, path.join(root, 'link'))
  t.is(treeReader(root)('link')?.kind, 'symlink')
  await t.throwsAsync(writeTree(root, new Map([['link/x', fileState('escaped')]])), {
    instanceOf: FwbuildError,
  })
  t.deepEqual(everything(outside), [])
})

const change = `--- a/f\n+++ b/f\n@@ -4,5 +4,5 @@\n statement_4(device);\n statement_5(device);\n-statement_6(device);\n+changed();\n statement_7(device);\n statement_8(device);\n`

function treeWith(text: string): { readonly root: string; readonly patch: string } {
  const root = folder()
  const patch = path.join(folder(), 'change.patch')
  fs.writeFileSync(path.join(root, 'f'), text)
  fs.writeFileSync(patch, change)
  return { root, patch }
}

test('fwbuild patch apply: applied is 0, a dry run changes nothing, reverse undoes', async (t) => {
  const { root, patch } = treeWith(numbered(1, 12))
  const read = (): string => fs.readFileSync(path.join(root, 'f'), 'utf8')
  t.is((await cli(['patch', 'apply', '--dry-run', '--tree', root, patch])).exitCode, 0)
  t.is(read(), numbered(1, 12))
  const applied = await cli(['patch', 'apply', '--json', '--tree', root, patch])
  t.is(applied.exitCode, 0)
  const report = JSON.parse(applied.stdout) as { patches: { files: { hunks: { status: string }[] }[] }[] }
  t.is(report.patches[0]?.files[0]?.hunks[0]?.status, 'exact')
  t.true(read().includes('changed();'))
  t.is((await cli(['patch', 'apply', '-R', '--tree', root, patch])).exitCode, 0)
  t.is(read(), numbered(1, 12))
})

test('fwbuild patch apply: a refused hunk is 1, leaves no litter, and goes to --reject-to', async (t) => {
  const { root, patch } = treeWith('something\nelse\n')
  const rejects = folder()
  const result = await cli(['patch', 'apply', '--tree', root, '--reject-to', rejects, patch])
  t.is(result.exitCode, 1)
  t.regex(result.stderr, /E_PATCH_REFUSED/)
  t.deepEqual(everything(root), ['f'])
  t.is(fs.readFileSync(path.join(rejects, 'change.patch.rej'), 'utf8'), change)
})

test('fwbuild patch check prints a verdict for each hunk; rewrite and edit print patches', async (t) => {
  const { root, patch } = treeWith(`new\n${numbered(1, 12)}`)
  const check = await cli(['patch', 'check', '--show', '--tree', root, patch])
  t.is(check.exitCode, 0)
  t.regex(check.stdout, /change\.patch\s+f\s+1\s+offset\s+5/)
  const rewritten = await cli(['patch', 'rewrite', '--tree', root, patch])
  t.is(rewritten.stdout, change.replace('-4,5 +4,5', '-5,5 +5,5'))
  const edited = await cli(['patch', 'edit', '--drop-lines', 'changed', patch])
  t.is(edited.stdout, change.replace('-4,5 +4,5', '-4,5 +4,4').replace('+changed();\n', ''))
  t.is((await cli(['patch', 'edit', '--drop-lines', '(', patch])).exitCode, 2)
  t.is((await cli(['patch', 'apply', '--tree', root, '/nonexistent.patch'])).exitCode, 2)
})

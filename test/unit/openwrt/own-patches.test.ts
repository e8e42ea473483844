import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { isPciHypervPatch, patchTitle, pathsOf } from '../../../src/core/openwrt/own-patches.ts'
import { patchMetadata } from '../../../src/core/patch/metadata.ts'
import { parsePatch } from '../../../src/core/patch/parse.ts'

const folder = 'patches/openwrt'
const read = (name: string) => parsePatch(readFileSync(join(folder, name), 'latin1'))

test('every shipped patch parses and says what, why and for which versions', (t) => {
  const names = readdirSync(folder).filter((name) => name.endsWith('.patch'))
  t.true(names.length > 0)
  for (const name of names) {
    const patch = read(name)
    t.deepEqual(patch.problems, [], name)
    const { subject, since } = patchMetadata(patch.files[0]?.preamble ?? '')
    t.truthy(subject, name)
    t.truthy(since, name)
    t.regex(patch.files[0]?.preamble ?? '', /^SPDX-License-Identifier: GPL-2\.0-only$/m, name)
  }
})

test('the PCI_HYPERV patch is known by what it adds', (t) => {
  const patch = read('100-config-add-KERNEL_PCI_HYPERV.patch')
  t.true(isPciHypervPatch(patch))
  t.is(patchTitle(patch, 'x'), 'config: add KERNEL_PCI_HYPERV')
  t.false(isPciHypervPatch(parsePatch('--- a/x\n+++ b/x\n@@ -1 +1 @@\n-config KERNEL_PCI_HYPERV\n+y\n')))
})

test('a patch without a subject goes by its file name', (t) => {
  t.is(patchTitle(parsePatch('--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n'), 'mine.patch'), 'mine.patch')
})

test('paths with their parents, of renames too, without /dev/null’s', (t) => {
  t.deepEqual(pathsOf(parsePatch('--- a/x/y/z\n+++ b/x/y/z\n@@ -1 +1 @@\n-a\n+b\n')), ['x', 'x/y', 'x/y/z'])
  const rename = 'diff --git a/old/n b/new/n\nsimilarity index 100%\nrename from old/n\nrename to new/n\n'
  const paths = pathsOf(parsePatch(rename))
  t.true(paths.includes('old/n') && paths.includes('new/n'))
})

import { readdirSync, readFileSync } from 'node:fs'
import test from 'ava'
import { dropLines } from '../../../src/core/patch/edit.ts'
import { patchMetadata } from '../../../src/core/patch/metadata.ts'
import { parsePatch } from '../../../src/core/patch/parse.ts'
import { printPatch } from '../../../src/core/patch/print.ts'

const folders = ['patches/linux', 'patches/openwrt']

for (const folder of folders) {
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.patch'))) {
    test(`${folder}/${name} is well formed and says what it is and since when`, (t) => {
      const text = readFileSync(`${folder}/${name}`, 'latin1')
      const patch = parsePatch(text)
      t.deepEqual(patch.problems, [])
      t.is(printPatch(patch), text)
      const preamble = patch.files[0]?.preamble ?? ''
      t.truthy(patchMetadata(preamble).subject)
      t.truthy(patchMetadata(preamble).since)
      t.regex(preamble, /SPDX-License-Identifier: GPL-2\.0-only/)
    })
  }
}

test('the always variant of the ACS override has the condition on PCIe alone', (t) => {
  const patch = parsePatch(readFileSync('patches/linux/100-pci-add-pcie_acs_override.patch', 'latin1'))
  const always = printPatch(dropLines(patch, /PCI_EXT_CAP_ID_ACS/))
  t.true(always.includes('+\tif (!pci_is_pcie(dev))\n+\t\treturn -ENOTTY;\n'))
  const [, ...code] = always.split('diff --git')
  t.false(code.join('').includes('PCI_EXT_CAP_ID_ACS'))
  t.deepEqual(parsePatch(always).problems, [])
})

import { readFileSync } from 'node:fs'
import test from 'ava'
import { acsPatchFor, isAcsOverride } from '../../../src/core/host/acs-patch.ts'
import { parsePatch } from '../../../src/core/patch/parse.ts'
import { printPatch } from '../../../src/core/patch/print.ts'

const own = parsePatch(readFileSync('patches/linux/100-pci-add-pcie_acs_override.patch', 'latin1'))

test('ours is an ACS override, another patch is not', (t) => {
  t.true(isAcsOverride(own))
  t.false(
    isAcsOverride(
      parsePatch(readFileSync('patches/openwrt/100-config-add-KERNEL_PCI_HYPERV.patch', 'latin1')),
    ),
  )
})

test('missing keeps the patch as it is', (t) => {
  t.is(printPatch(acsPatchFor(own, 'missing')), printPatch(own))
})

test('always drops the condition and keeps valid C', (t) => {
  const text = printPatch(acsPatchFor(own, 'always'))
  t.regex(text, /^\+\tif \(!pci_is_pcie\(dev\)\)$/m)
  t.notRegex(text, /pci_find_ext_capability/)
})

test('always finds nothing to drop a second time', (t) => {
  const always = acsPatchFor(own, 'always')
  t.is(printPatch(acsPatchFor(always, 'always')), printPatch(always))
})

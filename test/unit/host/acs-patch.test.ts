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

const variant = (...condition: readonly string[]): string =>
  `--- a/drivers/pci/quirks.c\n+++ b/drivers/pci/quirks.c\n@@ -1,2 +1,${10 + condition.length} @@\n #include <linux/pci.h>\n+static bool acs_on_downstream;\n+early_param("pcie_acs_override", pcie_acs_override_setup);\n+static int pcie_acs_overrides(struct pci_dev *dev, u16 acs_flags)\n+{\n${condition.map((line) => `+${line}\n`).join('')}+\t\treturn -ENOTTY;\n+\tif (acs_on_downstream)\n+\t\treturn 1;\n+\treturn acs_flags ? -ENOTTY : 0;\n \n`.replace(
    /\+1,\d+ @@/,
    `+1,${10 + condition.length} @@`,
  )

test('always: a variant that spares devices by dev->acs_cap is edited, too', (t) => {
  const patch = parsePatch(variant('\tif (!pci_is_pcie(dev) || dev->acs_cap)'))
  t.deepEqual(patch.problems, [])
  const text = printPatch(acsPatchFor(patch, 'always'))
  t.notRegex(text, /acs_cap/)
  t.regex(text, /^\+\tif \(!pci_is_pcie\(dev\)\)$/m)
  t.is(printPatch(acsPatchFor(patch, 'missing')), printPatch(patch))
})

const unknownVariants: Readonly<Record<string, readonly string[]>> = {
  'a capability by its number': ['\tif (pci_find_ext_capability(dev, 0x0d))'],
  'a helper of the kernel': ['\tif (!pci_is_pcie(dev) || pci_acs_enabled(dev, 1))'],
  'another field': ['\tif (pdev->has_acs)'],
  'a variable that went with the condition': [
    '\tint pos = pci_find_ext_capability(dev, PCI_EXT_CAP_ID_ACS);',
    '\tif (pos)',
  ],
}

for (const [title, condition] of Object.entries(unknownVariants)) {
  test(`always: a variant that spares devices by other words is not left as it is in silence: ${title}`, (t) => {
    const patch = parsePatch(variant(...condition))
    t.deepEqual(patch.problems, [])
    t.throws(() => acsPatchFor(patch, 'always', 'acs.patch'), {
      message: /acs\.patch: --acs=always can not tell/,
    })
  })
}

test('always: a variant that spares no device stays the very document', (t) => {
  const patch = parsePatch(variant('\tif (!pci_is_pcie(dev))'))
  t.is(acsPatchFor(patch, 'always'), patch)
})

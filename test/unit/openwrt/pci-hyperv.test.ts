import test from 'ava'
import { decidePciHyperv, isOn } from '../../../src/core/openwrt/pci-hyperv.ts'

const without = 'config KERNEL_DEVKMEM\n\tbool "x"\n'
const present = `${without}\nconfig KERNEL_PCI_HYPERV\n\tbool "y"\n`

/** The decision table: symbol there, kernel, native, forced → what is done. */
const table: readonly (readonly [boolean, string, boolean, boolean, 'insert' | 'skip', boolean, RegExp])[] = [
  [false, '4.9', false, false, 'insert', true, /is added .* and set$/],
  [false, '4.9', false, true, 'insert', true, /is added/],
  [false, '4.6', false, false, 'insert', true, /is added/],
  [false, '4.4', false, false, 'skip', false, /Linux 4\.4 has no PCI_HYPERV \(it came with 4\.6\)/],
  [false, '4.4', false, true, 'skip', false, /Linux 4\.4 has no PCI_HYPERV/],
  [false, '4.14', true, false, 'skip', false, /has PCI_HYPERV=y by itself/],
  [false, '6.12', true, false, 'skip', false, /has PCI_HYPERV=y by itself/],
  [
    false,
    '6.12',
    true,
    true,
    'insert',
    true,
    /as asked for, and set, since unset it would switch the driver off/,
  ],
  [false, '6.12', false, false, 'insert', true, /is added/],
  [true, '4.9', false, false, 'skip', true, /is already in config\/Config-kernel\.in/],
  [true, '6.12', true, false, 'skip', true, /is already in/],
  [true, '6.12', true, true, 'skip', true, /is already in/],
]

for (const [there, kernel, nativelyOn, force, action, enable, message] of table) {
  const title = `${there ? 'symbol there' : 'no symbol'}, Linux ${kernel}${nativelyOn ? ', native' : ''}${force ? ', forced' : ''}`
  test(`${title}: ${action}${enable ? ' and enable' : ''}`, (t) => {
    const decision = decidePciHyperv({ configKernelIn: there ? present : without, kernel, nativelyOn, force })
    t.is(decision.action, action)
    t.is(decision.enable, enable)
    t.regex(decision.message, message)
  })
}

test('a symbol of similar name, or in a comment, is not the symbol', (t) => {
  for (const text of ['config KERNEL_PCI_HYPERV_INTERFACE\n', '# config KERNEL_PCI_HYPERV\n', '']) {
    t.is(
      decidePciHyperv({ configKernelIn: text, kernel: '4.9', nativelyOn: false, force: false }).action,
      'insert',
    )
  }
})

test('the last file of a configuration stack decides', (t) => {
  t.true(isOn('PCI_HYPERV', ['# CONFIG_PCI_HYPERV is not set\n', '', 'CONFIG_PCI_HYPERV=y\n']))
  t.false(isOn('PCI_HYPERV', ['CONFIG_PCI_HYPERV=y\n', '# CONFIG_PCI_HYPERV is not set\n']))
  t.false(isOn('PCI_HYPERV', ['CONFIG_PCI_HYPERV=m\n']))
  t.false(isOn('PCI_HYPERV', ['CONFIG_PCI_HYPERV_INTERFACE=y\n', '']))
  t.false(isOn('PCI_HYPERV', []))
})

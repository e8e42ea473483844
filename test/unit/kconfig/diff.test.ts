import test from 'ava'
import { versionInHeader } from '../../../src/core/kconfig/config-header.ts'
import { diffConfigs, menusOf } from '../../../src/core/kconfig/diff.ts'
import { parseDotConfig } from '../../../src/core/kconfig/dot-config.ts'

const head = '#\n# Automatically generated file; DO NOT EDIT.\n# Linux/x86 6.12.103 Kernel Configuration\n#\n'
const from = `${head}CONFIG_TOP=y\n\n#\n# Bus options\n#\nCONFIG_PCI=y\n\n#\n# Cards\n#\nCONFIG_CARD=m\nCONFIG_SIZE=0x1F\n# end of Cards\n# CONFIG_LATE is not set\n# end of Bus options\n`
const to = from
  .replace('CONFIG_CARD=m', '# CONFIG_CARD is not set')
  .replace('0x1F', '0x1f')
  .replace('# CONFIG_LATE is not set', 'CONFIG_LATE=y\nCONFIG_NEW="a"')
  .replace('CONFIG_TOP=y\n', '')

test('changes are grouped by menu; equal values in other words are no change', (t) => {
  const groups = diffConfigs(
    parseDotConfig(from, 'a'),
    parseDotConfig(to, 'b'),
    new Map([...menusOf(from), ...menusOf(to)]),
  )
  t.deepEqual(groups, [
    { menu: [], changes: [{ symbol: 'TOP', from: 'y', to: 'n' }] },
    {
      menu: ['Bus options'],
      changes: [
        { symbol: 'LATE', from: 'n', to: 'y' },
        { symbol: 'NEW', from: 'n', to: '"a"' },
      ],
    },
    { menu: ['Bus options', 'Cards'], changes: [{ symbol: 'CARD', from: 'm', to: 'n' }] },
  ])
})

test('older files mark no ends: the latest title counts', (t) => {
  const menus = menusOf('#\n# A\n#\nCONFIG_X=y\n\n#\n# B\n#\nCONFIG_Y=y\n')
  t.deepEqual(
    [...menus],
    [
      ['X', ['A']],
      ['Y', ['B']],
    ],
  )
})

test('the kernel version is read from the header', (t) => {
  t.is(versionInHeader(from), '6.12.103')
  t.is(versionInHeader('CONFIG_A=y\n'), undefined)
})

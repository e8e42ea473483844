import { mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { FwbuildError } from '../../../src/core/errors.ts'
import { readKernelTree } from '../../../src/effects/kconfig-tree.ts'
import { kconfig, treeOf } from '../../helpers/kconfig.ts'

function failure(files: Readonly<Record<string, string>>): FwbuildError {
  try {
    treeOf(files)
  } catch (error) {
    if (error instanceof FwbuildError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

interface BadCase {
  readonly what: string
  readonly files: Readonly<Record<string, string>>
  readonly code: string
  readonly message: RegExp
  readonly hint?: RegExp
}

const cases: readonly BadCase[] = [
  {
    what: 'recursive source',
    files: { Kconfig: '\nsource "a"\n', a: 'source "b"\n', b: '\n\nsource "a"\n' },
    code: 'E_KCONFIG_RECURSION',
    message: /^b:3: recursive source of "a"/,
    hint: /Kconfig:2 sources a\na:1 sources b\nb:3 sources a/,
  },
  {
    what: 'unknown statement',
    files: { Kconfig: 'config A\n\tbool\n\tdepnds on B\n' },
    code: 'E_KCONFIG_TOKEN',
    message: /^Kconfig:3: unknown statement 'depnds' in the 'config' of line 1/,
    hint: /'depends'/,
  },
  {
    what: 'unknown character',
    files: { Kconfig: 'config A\n\tbool\n\tdepends on B ; C\n' },
    code: 'E_KCONFIG_TOKEN',
    message: /^Kconfig:3: unexpected ';'/,
  },
  {
    what: 'missing file',
    files: { Kconfig: 'source "drivers/Kconfig"\n' },
    code: 'E_KCONFIG_MISSING',
    message: /^Kconfig:1: cannot read "drivers\/Kconfig"/,
  },
  { what: 'no Kconfig', files: {}, code: 'E_KCONFIG_MISSING', message: /^Kconfig: no such/ },
  {
    what: 'cyclic dependency',
    files: {
      Kconfig:
        'config A\n\tbool "A"\n\tdepends on B\n\nconfig B\n\tbool "B"\n\tdepends on C\n\nconfig C\n\tdef_bool A\n',
    },
    code: 'E_KCONFIG_CYCLE',
    message: /^Kconfig:\d+: cyclic dependency: A → B → C → A/,
    hint: /Kconfig:5: B depends on C/,
  },
  {
    what: 'cyclic select',
    files: { Kconfig: 'config A\n\tbool "A"\n\tselect B\n\nconfig B\n\tbool "B"\n\tselect A\n' },
    code: 'E_KCONFIG_CYCLE',
    message: /cyclic dependency/,
  },
  {
    what: 'binary file',
    files: { Kconfig: 'config A\n\u0000' },
    code: 'E_KCONFIG_BINARY',
    message: /^Kconfig:2: binary/,
  },
  {
    what: 'missing endmenu',
    files: { Kconfig: 'menu "A"\nconfig B\n\tbool\n' },
    code: 'E_KCONFIG_SYNTAX',
    message: /^Kconfig:1: this 'menu' has no 'endmenu'/,
  },
  {
    what: 'wrong end',
    files: { Kconfig: 'menu "A"\nendif\n' },
    code: 'E_KCONFIG_SYNTAX',
    message: /^Kconfig:2: 'endif' without 'if'/,
    hint: /'menu' of Kconfig:1/,
  },
  {
    what: 'end in another file',
    files: { Kconfig: 'menu "A"\nsource "b"\n', b: 'endmenu\n' },
    code: 'E_KCONFIG_SYNTAX',
    message: /^b:1: 'endmenu' ends the 'menu' of another file, Kconfig:1/,
  },
  {
    what: 'half an expression',
    files: { Kconfig: 'config A\n\tbool\n\tdepends on B &&\n' },
    code: 'E_KCONFIG_SYNTAX',
    message: /^Kconfig:3: expected a symbol, found the end of the line/,
  },
  {
    what: 'open parenthesis',
    files: { Kconfig: 'config A\n\tbool\n\tdepends on (B\n' },
    code: 'E_KCONFIG_SYNTAX',
    message: /^Kconfig:3: expected '\)'/,
  },
  {
    what: 'open quote',
    files: { Kconfig: 'config A\n\tbool "A\n' },
    code: 'E_KCONFIG_TOKEN',
    message: /^Kconfig:2: the quoted text does not end/,
  },
  {
    what: 'a text too many',
    files: { Kconfig: 'config A B\n' },
    code: 'E_KCONFIG_SYNTAX',
    message: /^Kconfig:1: expected the end of the line, found 'B'/,
  },
  {
    what: 'open macro',
    files: { Kconfig: 'config A\n\tdef_bool $(shell,true\n' },
    code: 'E_KCONFIG_MACRO',
    message: /^Kconfig:2: '\$\(' without its '\)'/,
  },
  {
    what: 'self-referring variable',
    files: { Kconfig: 'a = $(b)\nb = $(a)\nconfig A\n\tdef_bool $(a)\n' },
    code: 'E_KCONFIG_MACRO',
    message: /^Kconfig:4: variable '[ab]' refers to itself/,
  },
  {
    what: 'error-if',
    files: { Kconfig: '$(error-if,y,no compiler)\n' },
    code: 'E_KCONFIG_TREE',
    message: /^Kconfig:1: the tree says: no compiler/,
  },
  {
    what: 'unknown option',
    files: { Kconfig: 'config A\n\tbool\n\toption speed\n' },
    code: 'E_KCONFIG_TOKEN',
    message: /^Kconfig:3: unknown option 'speed'/,
  },
]
for (const { what, files, code, message, hint } of cases)
  test(`bad tree: ${what}`, (t) => {
    const error = failure(files)
    t.is(error.code, code)
    t.is(error.exitCode, 2)
    t.regex(error.message, message)
    if (hint !== undefined) t.regex(error.hint ?? '', hint)
  })

test('a 100 MB Kconfig file is refused before it is read', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'fwbuild-bad-tree-'))
  try {
    await writeFile(join(folder, 'Kconfig'), 'source "big"\n')
    const big = await open(join(folder, 'big'), 'w')
    await big.truncate(100_000_000)
    await big.close()
    const error = t.throws(() => readKernelTree(folder), { instanceOf: FwbuildError })
    t.is(error?.code, 'E_KCONFIG_TOO_LARGE')
    t.regex(error?.message ?? '', /big: 100 MB/)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

test('members of one choice may look at each other', (t) => {
  t.notThrows(() =>
    kconfig(
      'choice\n\tprompt "C"\n\nconfig A\n\tbool "A"\n\nconfig B\n\tbool "B"\n\tdepends on !A\n\nendchoice\n',
    ),
  )
})

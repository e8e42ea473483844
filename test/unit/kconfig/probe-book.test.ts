import test from 'ava'
import { evaluate } from '../../../src/core/kconfig/tree/evaluate.ts'
import { readKconfigTree } from '../../../src/core/kconfig/tree/parser.ts'
import { readWithBatches } from '../../../src/core/kconfig/tree/probe-book.ts'

const source = `
success = $(shell,{ $(1); } && echo y || echo n)
compiler := $(shell,compiler --version)
$(error-if,$(success,test -z "$(compiler)"),no compiler)
version := $(shell,number-of "$(compiler)")

config VERSION
	int
	default $(version)

config NEW
	def_bool $(success,at-least 12 $(version))
`

const answers: Readonly<Record<string, string>> = {
  'compiler --version': 'cc 12\n',
  '{ test -z "cc 12"; } && echo y || echo n': 'n\n',
  'number-of "cc 12"': '120200\n',
  '{ at-least 12 120200; } && echo y || echo n': 'y\n',
}

test('questions go out in batches, and none that hangs on an open answer', async (t) => {
  const batches: (readonly string[])[] = []
  const tree = await readWithBatches(
    (shell) =>
      readKconfigTree(
        'Kconfig',
        { readFile: () => source, glob: () => [], env: () => undefined, shell },
        'menu',
      ),
    (commands) => {
      batches.push(commands)
      return Promise.resolve(commands.map((command) => answers[command] ?? `unexpected ${command}`))
    },
  )
  t.deepEqual(
    batches.map((batch) => batch.length),
    [1, 2, 1],
  )
  const values = evaluate(tree, { values: new Map() }).values
  t.is(values.get('VERSION'), '120200')
  t.is(values.get('NEW'), 'y')
})

test('questions without end are refused', async (t) => {
  let count = 0
  await t.throwsAsync(
    readWithBatches(
      (shell) => shell(`ask ${count++}`),
      (commands) => Promise.resolve(commands.map(() => '')),
    ),
    { message: /do not end/ },
  )
})

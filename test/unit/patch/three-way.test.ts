import test from 'ava'
import type { ApplyResult } from '../../../src/core/patch/apply.ts'
import { applyTo, numbered, placementOf, textAfter } from '../../helpers/patch.ts'

const block = '\tmode(a);\n\tstep(1);\n\tstep(2);\n\tstep(3);\n\tdone(a);\n'
const base = numbered(1, 20) + block + numbered(21, 40)
const patch = `diff --git a/f b/f
index 1234567..89abcde 100644
--- a/f
+++ b/f
@@ -22,3 +22,4 @@
 \tstep(1);
 \tstep(2);
+\tadded(2);
 \tstep(3);
`

const applyWith = (made: string, now: string): ApplyResult =>
  applyTo(patch, { f: now }, { readBlob: (id) => (id === '1234567' ? Buffer.from(made) : undefined) })

const drift = 'a();\nb();\nc();\nd();\ne();\nf();\ng();\nh();\n'

const ties: Readonly<Record<string, string>> = {
  'a block that was doubled on the spot': base.replace(block, block + block),
  'a block that was doubled below other lines': base.replace(block, `${block}other();\n${block}`),
  'two blocks with other neighbours than before': base
    .replace('statement_20(device);\n', `first();\n${block}second();\n`)
    .replace('statement_21(device);\n', 'third();\n'),
}

for (const [title, now] of Object.entries(ties)) {
  test(`three-way does not decide a tie: ${title}`, (t) => {
    t.is(applyWith(base, drift + now).status, 'refused')
  })
}

test('three-way finds the block of which both neighbours were kept', (t) => {
  const result = applyWith(base, drift + numbered(50, 60) + block + numbered(61, 70) + base + block)
  t.regex(placementOf(result).why, /three-way/)
  t.regex(textAfter(result, 'f') ?? '', /statement_20.*\n(\t.*\n){3}\tadded\(2\);\n(\t.*\n){2}statement_21/)
})

test('three-way is not tried for a file that differs in over 4,000 lines', (t) => {
  const much = (name: string, count: number): string =>
    Array.from({ length: count }, (_, at) => `${name}_${at}();\n`).join('')
  const resultFor = (count: number): ApplyResult =>
    applyWith(base + much('old', count), drift + numbered(50, 60) + block + base + much('new', count))
  t.is(resultFor(1500).status, 'applied')
  t.is(resultFor(2500).status, 'refused')
})

import test from 'ava'
import { applyPatch } from '../../../src/core/patch/apply.ts'
import type { FileState } from '../../../src/core/patch/file-state.ts'
import { binaryString } from '../../../src/core/patch/lines.ts'
import { parsePatch } from '../../../src/core/patch/parse.ts'
import { printPatch } from '../../../src/core/patch/print.ts'
import { rewritePatch } from '../../../src/core/patch/rewrite.ts'
import { applyTo, fileState, numbered } from '../../helpers/patch.ts'

/** The patch (UTF-8) as it should have been for these files. */
function rewritten(text: string, files: Readonly<Record<string, FileState>>): string {
  const patch = parsePatch(binaryString(Buffer.from(text)))
  const result = applyPatch(patch, (path) => files[path])
  if (result.status === 'refused') throw new Error(result.refusals[0]?.reason)
  return Buffer.from(printPatch(rewritePatch(patch, result).patch), 'latin1').toString()
}

const hunk = `@@ -1,2 +1,2 @@
 statement_1(device);
-statement_2(device);
+changed();
`
const before = numbered(1, 2)
const after = before.replace('statement_2(device);', 'changed();')
const modes = 'old mode 100644\nnew mode 100755\n'

const prefixed = (prefix: string, name: string): string =>
  name.startsWith('"') ? `"${prefix}/${name.slice(1)}` : `${prefix}/${name}`

const rename = (from: string, to: string, extra = ''): string =>
  `diff --git ${prefixed('a', from)} ${prefixed('b', to)}\n` +
  `${extra}similarity index 90%\nrename from ${from}\nrename to ${to}\n` +
  `--- ${prefixed('a', from)}\n+++ ${prefixed('b', to)}\n${hunk}`

for (const name of ['ä', '"\\303\\244"']) {
  test(`a rename from ${name} stays a rename`, (t) => {
    const patch = rename(name, 'new')
    t.is(rewritten(patch, { ä: fileState(before) }), patch)
  })

  test(`a rename to ${name} that was done leaves its mode and its change`, (t) => {
    const patch = rename('old', name, modes)
    const line = `diff --git ${prefixed('a', name)} ${prefixed('b', name)}\n`
    const change = `--- ${prefixed('b', name)}\n+++ ${prefixed('b', name)}\n${hunk}`
    const both = rewritten(patch, { ä: fileState(before) })
    t.is(both, `${line}${modes}${change}`)
    t.is(rewritten(both, { ä: fileState(before) }), both)
    t.is(rewritten(patch, { ä: fileState(after) }), `${line}${modes}`)
    t.is(rewritten(patch, { ä: fileState(before, 0o100755) }), change)
    t.is(rewritten(patch, { ä: fileState(after, 0o100755) }), '')
  })
}

test('a new file that is there already leaves its mode', (t) => {
  const line = 'diff --git a/f b/f\n'
  const patch = `${line}new file mode 100755\n--- /dev/null\n+++ b/f\n@@ -0,0 +1 @@\n+a\n`
  const rest = rewritten(patch, { f: fileState('a\n') })
  t.is(rest, `${line}${modes}`)
  t.is(applyTo(rest, { f: 'a\n' }).files.get('f')?.mode, 0o100755)
})

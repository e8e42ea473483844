import test from 'ava'
import { applyPatch as applyWithDiff, createTwoFilesPatch } from 'diff'
import * as fc from 'fast-check'
import { applyPatch } from '../../../src/core/patch/apply.ts'
import { binaryString } from '../../../src/core/patch/lines.ts'
import { parsePatch } from '../../../src/core/patch/parse.ts'
import { printPatch } from '../../../src/core/patch/print.ts'
import { fileState } from '../../helpers/patch.ts'

const line = fc.stringMatching(/^[a-z{} ]{0,8}$/)
const text = fc
  .array(line, { minLength: 1, maxLength: 30 })
  .map((lines) => lines.map((each) => `${each}\n`).join(''))

test('patches made by the diff package apply as it applies them, and print as they came', (t) => {
  fc.assert(
    fc.property(text, text, (before, after) => {
      fc.pre(before !== after)
      const patch = createTwoFilesPatch('a/f', 'b/f', before, after, '', '', { context: 3 })
      const result = applyPatch(parsePatch(patch), (path) => (path === 'f' ? fileState(before) : undefined))
      const bytes = result.files.get('f')?.bytes
      t.is(printPatch(parsePatch(patch)), patch)
      t.is(bytes === undefined ? before : binaryString(bytes), after)
      t.is(applyWithDiff(before, patch), after)
    }),
    { numRuns: 300 },
  )
})

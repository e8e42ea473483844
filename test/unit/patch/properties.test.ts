import test from 'ava'
import { createTwoFilesPatch } from 'diff'
import * as fc from 'fast-check'
import { diffText } from '../../../bench/patch-input.ts'
import { applyPatch } from '../../../src/core/patch/apply.ts'
import { parsePatch } from '../../../src/core/patch/parse.ts'
import { applyEdits, type Edit } from '../../../src/core/patch/placement.ts'
import { printPatch } from '../../../src/core/patch/print.ts'
import { rewritePatch } from '../../../src/core/patch/rewrite.ts'
import { fileState, textAfter } from '../../helpers/patch.ts'

/** Lines that are all different, so that every place is the only one of its kind. */
const lineArrays = fc
  .array(
    fc.string({
      unit: fc.constantFrom('a', 'b', 'c', 'd', 'e', ' ', ';', '{', '}', '(', ')', '\t', '\xfc', '\xff'),
      maxLength: 30,
    }),
    {
      minLength: 8,
      maxLength: 60,
    },
  )
  .map((lines) => lines.map((line, at) => `statement${at} ${line}\n`))

/** Edits at least eight lines apart. */
const editsFor = (lines: readonly string[]): fc.Arbitrary<Edit[]> =>
  fc
    .array(
      fc.record({
        gap: fc.integer({ min: 8, max: 20 }),
        removed: fc.integer({ min: 0, max: 3 }),
        added: fc.integer({ min: 0, max: 3 }),
      }),
      {
        minLength: 1,
        maxLength: 4,
      },
    )
    .map((steps) => {
      const edits: Edit[] = []
      let at = 0
      for (const { gap, removed, added } of steps) {
        at += gap - 8
        if (at > lines.length) break
        const count = Math.min(removed, lines.length - at)
        const fresh = Array.from(
          { length: count === 0 ? Math.max(1, added) : added },
          (_, n) => `added${at}_${n}\n`,
        )
        edits.push({ at, removed: count, added: fresh })
        at += count + 8
      }
      return edits
    })

const cases = lineArrays.chain((lines) =>
  fc.tuple(
    fc.constant(lines),
    editsFor(lines).filter((edits) => edits.length > 0),
  ),
)

const apply = (patch: string, text: string, reverse = false) =>
  applyPatch(parsePatch(patch), (path) => (path === 'f' ? fileState(text) : undefined), { reverse })

test('print∘parse is the identity on any text', (t) => {
  const parts = fc.constantFrom(
    '--- a/f\n',
    '+++ b/f\n',
    '@@ -1,2 +1,2 @@ x\n',
    ' a\n',
    '-b\n',
    '+c\n',
    '\n',
    '-- \n',
    'diff --git a/f b/f\n',
    'new file mode 100644\n',
    '\\ No newline\n',
    'GIT binary patch\n',
    '\r\n',
  )
  const texts = fc
    .array(
      fc.oneof(
        parts,
        fc.string({ unit: 'binary', maxLength: 12 }).map((s) => Buffer.from(s).toString('latin1')),
      ),
    )
    .map((all) => all.join(''))
  fc.assert(
    fc.property(texts, (text) => printPatch(parsePatch(text)) === text),
    { numRuns: 2000 },
  )
  t.pass()
})

test('apply(diff(a, b), a) = b, and reversed it undoes', (t) => {
  fc.assert(
    fc.property(cases, ([lines, edits]) => {
      const before = lines.join('')
      const after = applyEdits(lines, edits).join('')
      const patch = diffText('f', lines, edits)
      const forth = apply(patch, before)
      const back = apply(patch, after, true)
      return forth.status === 'applied' && textAfter(forth, 'f') === after && textAfter(back, 'f') === before
    }),
    { numRuns: 500 },
  )
  t.pass()
})

test('patches that another program makes of any two texts apply', (t) => {
  fc.assert(
    fc.property(cases, fc.boolean(), ([lines, edits], cutOff) => {
      const after = applyEdits(lines, edits).join('')
      const [from, to] = [lines.join(''), cutOff ? after.slice(0, -1) : after]
      const result = apply(createTwoFilesPatch('a/f', 'b/f', from, to), from)
      return from === to
        ? result.status === 'refused' || result.files.size === 0
        : textAfter(result, 'f') === to
    }),
    { numRuns: 300 },
  )
  t.pass()
})

test('applying after unrelated edits gives the same as editing after applying', (t) => {
  fc.assert(
    fc.property(cases, fc.integer({ min: 1, max: 30 }), ([lines, edits], count) => {
      const patch = diffText('f', lines, edits)
      const head = Array.from({ length: count }, (_, at) => `prelude ${at} of the file\n`).join('')
      const expected = head + applyEdits(lines, edits).join('')
      const result = apply(patch, head + lines.join(''))
      // Changes at the very top or end may no longer be clear; silence about a wrong place is never allowed.
      return result.status === 'refused' ? touchesEdge(lines, edits) : textAfter(result, 'f') === expected
    }),
    { numRuns: 500 },
  )
  t.pass()
})

const touchesEdge = (lines: readonly string[], edits: readonly Edit[]): boolean =>
  edits.some(({ at, removed }) => at < 3 || at + removed + 3 > lines.length)

test('a rewritten patch has the same effect, applies exactly, and rewriting it again changes nothing', (t) => {
  fc.assert(
    fc.property(cases, fc.integer({ min: 0, max: 9 }), ([lines, edits], count) => {
      const target = `${'inserted\n'.repeat(count)}${lines.join('')}`
      const patch = parsePatch(diffText('f', lines, edits))
      const read = (path: string) => (path === 'f' ? fileState(target) : undefined)
      const first = applyPatch(patch, read)
      if (first.status === 'refused') return touchesEdge(lines, edits)
      const rewritten = printPatch(rewritePatch(patch, first).patch)
      const second = applyPatch(parsePatch(rewritten), read)
      const exact = second.placements.every(({ hunks }) =>
        hunks.every(({ placement }) => placement.status === 'exact'),
      )
      return (
        exact &&
        textAfter(second, 'f') === textAfter(first, 'f') &&
        printPatch(rewritePatch(parsePatch(rewritten), second).patch) === rewritten
      )
    }),
    { numRuns: 500 },
  )
  t.pass()
})

import test from 'ava'
import * as fc from 'fast-check'
import { FwbuildError } from '../../../src/core/errors.ts'
import { dropLines } from '../../../src/core/patch/edit.ts'
import { parsePatch } from '../../../src/core/patch/parse.ts'

/** A condition as words: operands, operators, and brackets glued to operands. */
type Words = readonly string[]

const operand = fc
  .tuple(fc.constantFrom('', '!'), fc.constantFrom('f', 'g'), fc.constantFrom('a', 'b', 'c', 'd', 'DROP'))
  .map(([not, call, name]): Words => [`${not}${call}(${name})`])

const condition: fc.Arbitrary<Words> = fc.letrec<{ any: Words; group: Words }>((tie) => ({
  any: fc.oneof({ maxDepth: 3 }, operand, tie('group')),
  group: fc
    .tuple(
      fc.constantFrom('||', '&&'),
      fc.constantFrom('', '!'),
      fc.array(tie('any'), { minLength: 2, maxLength: 3 }),
    )
    .map(([operator, not, parts]) => {
      const words = parts.flatMap((part, at) => (at === 0 ? part : [operator, ...part]))
      return [`${not}(${words[0]}`, ...words.slice(1, -1), `${words.at(-1)})`]
    }),
})).any

/** Lines broken behind or ahead of operators, or not. */
const layout = fc.infiniteStream(fc.constantFrom(' ', ' ', '\n\t    ', '  /* why */\n\t    '))

function code(words: Words, breaks: Iterator<string>, isBreakAhead: boolean): string[] {
  let text = '\tif ('
  for (const word of words) {
    const isOperator = word === '||' || word === '&&'
    const gap = isOperator ? (breaks.next().value as string) : ''
    if (!isOperator) text += word
    else text += isBreakAhead ? `${gap}${word} ` : ` ${word}${gap}`
  }
  return `${text})\n\t\treturn 1;\n\treturn 0;`.split('\n')
}

test('property: a condition without its matching operands is sound and keeps the others', (t) => {
  fc.assert(
    fc.property(condition, layout, fc.boolean(), (words, breaks, isBreakAhead) => {
      const lines = code(words, breaks, isBreakAhead)
      const added = lines.map((line) => `+${line}\n`).join('')
      const patch = `--- a/f.c\n+++ b/f.c\n@@ -1,2 +1,${lines.length + 2} @@\n {\n${added} }\n`
      let left: string
      try {
        const [file] = dropLines(parsePatch(patch), /DROP/).files
        const edited = file?.hunks[0]?.lines.filter(({ kind }) => kind === 'added') ?? []
        left = edited.map(({ text }) => text).join('')
      } catch (error) {
        // An edit may be refused, but never be wrong.
        t.true(error instanceof FwbuildError && error.code === 'E_PATCH_EDIT', String(error))
        return
      }
      t.false(left.includes('DROP'), `${patch}\n${left}`)
      // JavaScript parses such conditions as C does.
      // oxlint-disable-next-line typescript/no-implied-eval
      t.notThrows(() => new Function('f', 'g', 'a', 'b', 'c', 'd', left), `${patch}\n${left}`)
      // A line that is one operand goes whole, and others may go with it; on one line none does.
      const others = words.flatMap((word) => word.match(/[fg]\([a-d]\)/g) ?? [])
      if (lines.length === 3) t.deepEqual(left.match(/[fg]\([a-d]\)/g) ?? [], others, `${patch}\n${left}`)
      if (!words.some((word) => word.includes('DROP'))) t.is(left, `${lines.join('\n')}\n`)
    }),
    { numRuns: 1500 },
  )
})

import { spawnSync } from 'node:child_process'
import * as fc from 'fast-check'
import { FwbuildError } from '../../../src/core/errors.ts'
import { dropLines } from '../../../src/core/patch/edit.ts'
import { parsePatch } from '../../../src/core/patch/parse.ts'
import { needProgram, testWith } from '../../helpers/need.ts'

/** Names that a line to be dropped may have are marked by DROP; they are declared, so that they may stay. */
const prelude = `int a, b, DROP; int f(int); int g(int, int); int s(const char *);
#define list_for_each(x) for (; x; x--)
`

const name = fc.constantFrom('a', 'b', 'b', 'DROP')
const gap = fc.constantFrom(' ', '\n\t\t')

const glued = (...parts: fc.Arbitrary<string>[]): fc.Arbitrary<string> =>
  fc.tuple(...parts).map((texts) => texts.join(''))
const text = (value: string): fc.Arbitrary<string> => fc.constant(value)

const statement = fc.letrec<{ value: string; one: string; some: string; body: string }>((tie) => {
  const value = tie('value')
  const guarded = (...head: fc.Arbitrary<string>[]): fc.Arbitrary<string> => glued(...head, tie('body'))
  const operator = fc.constantFrom('|', '+', '-', '&', '||', '&&')
  return {
    value: fc.oneof(
      { maxDepth: 3, depthIdentifier: 'value' },
      name,
      glued(text('f('), value, text(')')),
      glued(text('g('), value, text(','), gap, value, text(')')),
      glued(text('('), value, gap, operator, gap, value, text(')')),
      glued(text('!'), name, gap, operator, gap, value, text(' '), operator, gap, name),
      glued(text('('), value, text(' ?'), gap, value, text(' :'), gap, value, text(')')),
    ),
    body: fc.oneof(
      glued(text('\n\t\t'), tie('one')),
      glued(text(' {\n'), tie('some'), text('}\n')),
      glued(text(' { /* DROP */\n'), tie('some'), text('} /* DROP */\n')),
    ),
    some: fc.array(tie('one'), { minLength: 1, maxLength: 3 }).map((all) => all.join('')),
    one: fc.oneof(
      { maxDepth: 4, depthIdentifier: 'one' },
      glued(text('\tf('), value, text(');\n')),
      glued(text('\ta ='), gap, value, text(';\n')),
      glued(text('\ts("/* {"\n\t  "'), name, text('"\n\t  "}");\n')),
      glued(text('\tf(1); /* one\n\t * '), name, text(' */\n')),
      glued(text('\treturn'), gap, value, text(';\n')),
      guarded(text('\tif ('), value, text(')')),
      glued(text('\tif ('), value, text(') {\n'), tie('some'), text('\t} else'), tie('body')),
      guarded(text('\twhile ('), value, text(')')),
      guarded(text('\tfor (a = 0;'), gap, value, text('; a++)')),
      guarded(text('\tlist_for_each(a)')),
      glued(text('\tdo {\n'), tie('some'), text('\t} while ('), value, text(');\n')),
      glued(
        text('\t{\n\tint x,\n\t    '),
        text('DROP = 1,\n\t    y[] = {\n\t1,\n\t'),
        name,
        text(',\n\t};\n\t}\n'),
      ),
      glued(
        text('\tswitch (a) {\n\tcase 1:\n'),
        tie('one'),
        text('\tbreak;\n\tdefault:\n'),
        tie('one'),
        text('\t}\n'),
      ),
    ),
  }
}).some

/** The function without what matches; undefined where the edit is refused. */
function edited(lines: readonly string[]): string | undefined {
  const added = lines.map((line) => `+${line}\n`).join('')
  const patch = parsePatch(`--- /dev/null\n+++ b/f.c\n@@ -0,0 +1,${lines.length} @@\n${added}`)
  try {
    const [file] = dropLines(patch, /DROP/).files
    return file?.hunks[0]?.lines.map((line) => line.text).join('') ?? ''
  } catch (error) {
    if (error instanceof FwbuildError && error.code === 'E_PATCH_EDIT') return undefined
    throw error
  }
}

function compile(source: string): string {
  const arguments_ = ['-fsyntax-only', '-w', '-x', 'c', '-']
  return spawnSync('gcc', arguments_, { input: prelude + source }).stderr.toString()
}

testWith([needProgram('gcc')], 'property: what is left of C code compiles, or the edit is refused', (t) => {
  const functions = fc.array(statement, { minLength: 40, maxLength: 40 })
  let accepted = 0
  fc.assert(
    fc.property(functions, (bodies) => {
      const all = bodies.map((body, at) => `int fn${at}(void)\n{\n${body}\treturn 1;\n}`.split('\n'))
      t.is(compile(all.flat().join('\n')), '')
      const left = all.flatMap((lines) => edited(lines) ?? [])
      accepted += left.length
      t.is(compile(left.join('')), '')
    }),
    { numRuns: 20 },
  )
  t.true(accepted > 100, `only ${accepted} edits were accepted`)
})

import test from 'ava'
import { assert, property, string } from 'fast-check'
import { visibleText } from '../../src/core/visible-text.ts'

const cases: readonly (readonly [what: string, text: string, shown: string])[] = [
  ['ordinary text', 'naïve Größe 東京 🙂\n\tnext', 'naïve Größe 東京 🙂\n\tnext'],
  ['a window title', 'a\u001B]0;owned\u0007b', String.raw`a\u001b]0;owned\u0007b`],
  ['a cleared screen', '\u001B[2J\u001B[H', String.raw`\u001b[2J\u001b[H`],
  ['colours', '\u001B[1;31mred\u001B[0m', 'red'],
  ['a C1 sequence', '\u009B31m', String.raw`\u009b31m`],
  ['an overwritten line', 'bad\rgood', String.raw`bad\u000dgood`],
  ['backspaces', 'rm\b\bls', String.raw`rm\u0008\u0008ls`],
  ['turned text', 'a\u202Egnp.exe\u202C', String.raw`a\u202egnp.exe\u202c`],
  ['isolates', '\u2066x\u2069', String.raw`\u2066x\u2069`],
  ['no width', 'pay\u200Bpal', String.raw`pay\u200bpal`],
  ['line ends of Unicode', 'a\u2028b\u2029c\u0085d', String.raw`a\u2028b\u2029c\u0085d`],
  ['tags', 'x\u{E0041}', String.raw`x\udb40\udc41`],
  ['a NUL', 'a\0b', String.raw`a\u0000b`],
]

for (const [what, text, shown] of cases) {
  test(`what a foreign word does to the terminal: ${what}`, (t) => {
    t.is(visibleText(text), shown)
  })
}

test('what a foreign word does to the terminal: JSON keeps its meaning and its lines', (t) => {
  assert(
    property(string({ unit: 'binary' }), (text) => {
      const line = visibleText(JSON.stringify({ text }))
      t.false(/[\n\r\u0085\u2028\u2029]/.test(line))
      // Colours are left out of text that holds them raw, which JSON does not.
      t.deepEqual(JSON.parse(line), { text })
    }),
  )
})

import test from 'ava'
import { FwbuildError } from '../../../src/core/errors.ts'
import { dropLines } from '../../../src/core/patch/edit.ts'
import { parsePatch } from '../../../src/core/patch/parse.ts'

/** What the file has after an edit that drops MATCH; lines begin with the patch's marker. */
function edited(lines: readonly string[], name = 'f.c'): readonly string[] {
  const count = (other: string): number => lines.filter((line) => !line.startsWith(other)).length + 2
  const head = `--- a/${name}\n+++ b/${name}\n@@ -1,${count('+')} +1,${count('-')} @@\n int x;\n`
  const patch = parsePatch(`${head}${lines.map((line) => `${line}\n`).join('')} int y;\n`)
  const [file] = dropLines(patch, /MATCH/).files
  const left = file?.hunks[0]?.lines ?? patch.files[0]?.hunks[0]?.lines ?? []
  return left.flatMap(({ kind, text }) => (kind === 'removed' ? [] : [text.trimEnd()])).slice(1, -1)
}

const added = (lines: readonly string[]): readonly string[] => lines.map((line) => `+${line}`)

const refusals: Readonly<Record<string, readonly [lines: readonly string[], reason: RegExp]>> = {
  'the last line of a comment': [['\t/* one', '\t * MATCH two */', '\tcode();', '\t/* three */'], /comment/],
  'the first line of a comment': [['\t/* MATCH one', '\t * goes on */', '\tcode();'], /comment/],
  'a statement that ends in a comment which goes on': [['\tone(); /* MATCH', '\t\t* two */'], /comment/],
  'the last term of a sum': [['\tx = a +', '\t\tMATCH;', '\tgo();'], /go on/],
  'the value that is assigned': [['\tx =', '\t\tMATCH;', '\tgo();'], /go on/],
  'the last of some flags': [['\tflags = A |', '\t\tMATCH;', '\tgo();'], /go on/],
  'a flag behind another operator': [['\tx = a -', '\t\tMATCH |', '\t\tb;'], /go on/],
  'the returned value': [['\treturn', '\t\tMATCH;', '\tgo();'], /go on/],
  'the middle operand of a ternary': [['\tx = a ?', '\t\tMATCH :', '\t\tc;'], /go on/],
  'the last operand of a ternary': [['\tx = a ? b :', '\t\tMATCH;', '\tgo();'], /go on/],
  'the last declared name': [['\tint a,', '\t    MATCH;', '\tgo();'], /go on/],
  'the body of a loop that a macro makes': [['\tlist_for_each(a)', '\t\tMATCH(b);', '\tgo();'], /guard/],
  'a while that ends a do': [['\tdo {', '\t\tg();', '\t} while (MATCH);', '\th();'], /ends a do/],
  'a while that ends a do without braces': [['\tdo', '\t\tg();', '\twhile (MATCH);'], /ends a do/],
  'a while whose do is not shown': [['}', '} while (MATCH);', '{', '{'], /ends a do/],
  'the head of a function': [['int MATCH(void)', '{', '\treturn 1;', '}'], /body/],
  'the head of a structure': [['struct MATCH', '{', '\tint a;', '};'], /body/],
  'the name in the head of a function': [['static int', 'MATCH(void)', '{', '}'], /go on/],
  'the head of a loop': [['\tfor (MATCH = 0; a; a++)', '\t\tgo();'], /body/],
  'the head of a loop that a macro makes': [['\tFOREACH(MATCH)', '\t\tgo();'], /body/],
  'a part of the head of a loop': [
    ['\tfor (a = 0;', '\t     MATCH;', '\t     a++)', '\t\tgo();'],
    /argument/,
  ],
  'an argument': [['\tf(a,', '\t  MATCH,', '\t  b);'], /argument/],
  'a brace between two blocks': [
    ['\tif (a) {', '\t\tb();', '\t} else { /* MATCH */', '\t\tc();', '\t}'],
    /become one/,
  ],
  'a case whose code would stay': [['\tswitch (a) {', '\tcase MATCH:', '\t\tb();', '\t}'], /case/],
  'all that stands behind a label': [['\tif (a) {', 'out:', '\t\tMATCH();', '\t}'], /label/],
  'the only name of an enum': [['enum a {', '\tMATCH,', '};'], /body|rest/],
  'attributes of a type on their own line': [
    ['struct a {', '\tint b;', '}', '__attribute__((MATCH));'],
    /go on/,
  ],
}

for (const [title, [lines, reason]] of Object.entries(refusals)) {
  test(`--drop-lines refuses ${title}`, (t) => {
    const error = t.throws(() => edited(added(lines)), { instanceOf: FwbuildError })
    t.is(error.code, 'E_PATCH_EDIT')
    t.regex(error.message, reason)
    t.notThrows(() => edited(added(lines), 'notes.txt'))
  })
}

/** Each line with MATCH goes alone. */
const singles: Readonly<Record<string, readonly string[]>> = {
  'a whole comment': ['\t/* MATCH one', '\t * MATCH two */', '\tcode();'],
  'a line of a comment': ['\t/* one', '\t * MATCH', '\t */', '\tcode();'],
  'a whole statement': ['\tone();', '\tMATCH(a,', '\t      MATCH);', '\ttwo();'],
  'a string with brackets': ['\tone("/* {");', '\tMATCH("*/ }");', '\ttwo();'],
  'a string between others': ['\tf("a"', '\t  "MATCH"', '\t  "b");'],
  'a statement behind a label': ['\tswitch (a) {', '\tcase 1:', '\t\tMATCH();', '\t\tbreak;', '\t}'],
  'one of several labels': ['\tswitch (a) {', '\tcase 1:', '\tcase MATCH:', '\t\tb();', '\t}'],
  'a whole case': ['\tswitch (a) {', '\tcase MATCH:', '\t\treturn MATCH;', '\tdefault:', '\t\tb();', '\t}'],
  'a whole else': ['\tif (a)', '\t\tb();', '\telse /* MATCH */', '\t\tMATCH();', '\tgo();'],
  'a whole loop': ['\tone();', '\tfor (MATCH;;)', '\t\tMATCH();', '\ttwo();'],
  'a whole do': ['\tone();', '\tdo { /* MATCH */', '\t\tMATCH();', '\t} while (MATCH);', '\ttwo();'],
  'a whole function': ['int MATCH(void)', '{ /* MATCH */', '\treturn MATCH;', '} /* MATCH */', 'int z;'],
  'an entry of an enum': ['enum a {', '\tA,', '\tMATCH,', '\tB,', '};'],
  'the last entry of an enum': ['enum a {', '\tA,', '\tMATCH', '};'],
  'a field of a value': ['static struct a b = {', '\t.a = c,', '\t.b = { MATCH },', '};'],
  'a declared name': ['\tint a,', '\t    MATCH,', '\t    b;'],
  'a comma ahead': ['\tint a', '\t    , MATCH', '\t    , b;'],
  'a flag': ['\tflags = A |', '\t\tMATCH |', '\t\tB;'],
  'a flag with its operator ahead': ['\tflags = A', '\t\t| MATCH', '\t\t| B;'],
  'one of several conditional values': ['\tx = a ? b :', '\t    MATCH ? c :', '\t    d;'],
  'a declaration by macro': ['FLAG(a)', 'FLAG(MATCH)', 'FLAG(b)'],
  'the first of some flags': ['\tf(a,', '\t  MATCH |', '\t  A);'],
  'a field by macro': ['static struct a b[] = {', '\t{ INFO(a)', '\t\tFLAGS(MATCH)', '\t\tMORE(c) },', '};'],
  'an inner line of a macro': ['#define A(x) do { \\', '\tMATCH(x); \\', '} while (0)'],
  'a preprocessor line': ['#ifdef A', '#define MATCH 1', '#endif'],
  'an if with a loop by macro, as a whole': [
    '\tif (MATCH)',
    '\t\tMATCH_each(a)',
    '\t\t\tMATCH();',
    '\tgo();',
  ],
}

for (const [title, lines] of Object.entries(singles)) {
  test(`--drop-lines takes ${title}`, (t) => {
    const left = lines.filter((line) => !line.includes('MATCH'))
    t.deepEqual(edited(added(lines)), left)
  })
}

test('--drop-lines takes an if with what it guards, and nothing behind it', (t) => {
  t.deepEqual(edited(added(['\tif (MATCH(a))', '\t\tMATCH(b);', '\tgo();'])), ['\tgo();'])
  const loop = ['\tif (MATCH)', '\t\tlist_for_each(a) {', '\t\t\tb();', '\t\t}', '\tgo();']
  t.deepEqual(edited(added(loop)), ['\tgo();'])
  const inner = ['\tif (MATCH)', '\t\tif (a)', '\t\t\tb();', '\t\telse', '\t\t\tc();', '\tgo();']
  t.deepEqual(edited(added(inner)), ['\tgo();'])
})

test('--drop-lines knows a hunk that begins inside a comment', (t) => {
  const patch = (line: string): string =>
    `--- a/f.c\n+++ b/f.c\n@@ -1,3 +1,4 @@\n what it does\n+${line}\n and why */\n code();\n`
  t.is(dropLines(parsePatch(patch('MATCH, (')), /MATCH/).files.length, 0)
  const end = patch('MATCH */').replace(' and why */\n', ' b();\n')
  t.throws(() => dropLines(parsePatch(end), /MATCH/), { message: /comment/ })
})

test('--drop-lines undoes a line that was replaced', (t) => {
  t.deepEqual(edited(['-int f(MATCH)', '+int f(int MATCH, int b)', ' {', ' }', '+int z;']), [
    'int f(MATCH)',
    '{',
    '}',
    'int z;',
  ])
  t.deepEqual(edited(['-\tf(MATCH,', '-\t  1);', '+\tg(MATCH,', '+\t  2);']), ['\tf(MATCH,', '\t  2);'])
})

test('--drop-lines undoes a line of a macro that was replaced', (t) => {
  const lines = [' #define A(x) do { \\', '-\tMATCH(x); \\', '+\tMATCH(x, 1); \\', ' } while (0)', '+int z;']
  t.deepEqual(edited(lines), ['#define A(x) do { \\', '\tMATCH(x); \\', '} while (0)', 'int z;'])
})

test('--drop-lines brings no line back that does not fit', (t) => {
  const broken = ['-\tx = a |', '-\t\tMATCH_A;', '+\tx = b |', '+\t\tMATCH_B;']
  t.throws(() => edited(broken), { message: /f\.c:3, hunk 1: "MATCH_B;" cannot be dropped: / })
  t.throws(() => edited(['-\tif (MATCH)', '+\tif (a)', ' \t\tb();']), { message: /cannot be dropped/ })
})

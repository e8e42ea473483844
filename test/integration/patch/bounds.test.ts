import { spawn, spawnSync } from 'node:child_process'
import * as fs from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { deflateSync } from 'node:zlib'
import test from 'ava'
import { cli } from '../../helpers/cli.ts'
import { needProgram, testWith } from '../../helpers/need.ts'
import { temporaryFolders } from '../../helpers/temporary.ts'

const folder = temporaryFolders()
const header = '--- a/f.c\n+++ b/f.c\n'

interface Hostile {
  readonly file: string
  readonly patch: string
  /** What is said where it is refused; undefined where it has an answer. */
  readonly refusal?: RegExp
}

const repeat = (count: number, make: (at: number) => string): string =>
  Array.from({ length: count }, (_, at) => make(at)).join('')

/** Words that look random and are the same each time. */
function words(count: number, seed: number): string {
  let state = seed + 1
  return repeat(count, () => {
    state = (state * 48_271) % 2_147_483_647
    return `w${state} `
  })
}

/** A hunk of seven lines whose third is edited in the file by `edit`. */
function editedLine(length: number, edit: (line: string) => string): Hostile {
  const lines = Array.from({ length: 7 }, (_, at) => words(length, at))
  const file = lines.map((line, at) => `${at === 2 ? edit(line) : line}\n`).join('')
  const body = lines.map((line, at) => (at === 3 ? `-${line}\n+new\n` : ` ${line}\n`)).join('')
  return { file, patch: `${header}@@ -1,7 +1,7 @@\n${body}` }
}

/** Hunks that are all one line off, with section texts by `section`. */
function oneOff(count: number, section: (at: number) => string): Hostile {
  const line = (at: number): string => `line number ${at} is here\n`
  const hunk = (at: number): string => {
    const start = at * 10 + 1
    const side = (from: number): string => repeat(3, (row) => ` ${line(from + row)}`)
    return `@@ -${start},7 +${start},7 @@${section(at)}\n${side(start)}-${line(start + 3)}+new\n${side(start + 4)}`
  }
  return { file: repeat(count * 10, line), patch: header + repeat(count, hunk) }
}

const same: Hostile = {
  file: 'same\n'.repeat(200_000),
  patch: `${header}@@ -2,800 +2,1600 @@\n${repeat(800, (at) => ` same\n+new ${at}\n`)}`,
  refusal: /equally well/,
}

const hostile: Readonly<Record<string, Hostile>> = {
  'a context line of 2,000 words, edited at its end': editedLine(2000, (line) => `${line}more words`),
  'a context line of 30,000 words, in another order': {
    ...editedLine(30_000, (line) => line.split(' ').toReversed().join(' ')),
    refusal: /f\.c: hunk 1: finding the places of its hunks takes too long/,
  },
  '800 context lines of 60 words, each in another order': {
    file: repeat(800, (at) => `${words(60, at).split(' ').toReversed().join(' ')}\n`),
    patch: `${header}@@ -1,800 +1,801 @@\n${repeat(800, (at) => ` ${words(60, at)}\n${at === 9 ? '+new\n' : ''}`)}`,
    refusal: /not in the file|too little|takes too long/,
  },
  '2,500 hunks that are one line off': oneOff(2500, () => ''),
  '2,500 hunks that are one line off, each in a section of its own': oneOff(2500, (at) => ` fn_${at}(void)`),
  'one long hunk among lines that are all alike': same,
  'a hunk of 100,000 lines': {
    file: `top\n${repeat(100_000, (at) => `line ${at}\n`)}`,
    patch: `${header}@@ -1,100000 +1,100001 @@\n${repeat(100_000, (at) => ` line ${at}\n${at === 9 ? '+new\n' : ''}`)}`,
  },
  'a header with 900,000 blanks in a name': {
    file: 'one\n',
    patch: `--- a/f.c${' '.repeat(900_000)}x\n+++ b/f.c\n@@ -1 +1 @@\n-one\n+two\n`,
    refusal: /longer than/,
  },
  'a context line of 900,000 blanks': {
    file: `q\n${' '.repeat(900_000)}x\nb\n`,
    patch: `${header}@@ -1,3 +1,3 @@\n q\n ${' '.repeat(900_000)}x\n-b\n+c\n`,
  },
  'a line of 50 MB': {
    file: 'one\n',
    patch: `${header}@@ -1 +1 @@\n-one\n+${'x'.repeat(50_000_000)}\n`,
    refusal: /a line of 5\d+ bytes/,
  },
}

for (const [title, { file, patch, refusal }] of Object.entries(hostile)) {
  test(`answered or refused, never without an end: ${title}`, async (t) => {
    const tree = folder()
    fs.writeFileSync(join(tree, 'f.c'), file)
    const { exitCode, stderr } = await cli(['patch', 'apply', '--tree', tree, '-'], { input: patch })
    t.is(exitCode, refusal === undefined ? 0 : 1, stderr.slice(0, 300))
    if (refusal === undefined) return
    t.regex(stderr, refusal)
    t.is(fs.readFileSync(join(tree, 'f.c'), 'utf8'), file)
  })
}

/** RFC 1924's digits, as git writes them. */
const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~'

function base85(bytes: Buffer): string {
  const lines: string[] = []
  for (let at = 0; at < bytes.length; at += 52) {
    const part = bytes.subarray(at, at + 52)
    const padded = Buffer.concat([part, Buffer.alloc((4 - (part.length % 4)) % 4)])
    let text = String.fromCharCode(part.length <= 26 ? 64 + part.length : 96 + part.length - 26)
    for (let word = 0; word < padded.length; word += 4) {
      let value = padded.readUInt32BE(word)
      let group = ''
      for (let digit = 0; digit < 5; digit++) {
        group = digits.charAt(value % 85) + group
        value = Math.floor(value / 85)
      }
      text += group
    }
    lines.push(`${text}\n`)
  }
  return lines.join('')
}

testWith([needProgram('git')], 'what binary patches unpack to is limited in all', async (t) => {
  const zeros = Buffer.alloc(150 * 1024 * 1024)
  const id = spawnSync('git', ['hash-object', '--stdin'], { input: zeros }).stdout.toString().trim()
  const body = `literal ${zeros.length}\n${base85(deflateSync(zeros))}\nliteral 0\nHcmV?d00001\n\n`
  const one = (at: number): string =>
    `diff --git a/b${at} b/b${at}\nnew file mode 100644\nindex ${'0'.repeat(40)}..${id}\nGIT binary patch\n${body}`
  const tree = folder()
  const fine = await cli(['patch', 'check', '--tree', tree, '-'], { input: one(0) })
  t.is(fine.exitCode, 0, fine.stderr)
  const { exitCode, stderr } = await cli(['patch', 'apply', '--tree', tree, '-'], { input: repeat(9, one) })
  t.is(exitCode, 1)
  t.regex(stderr, /b\/b3: what it unpacks or copies is too large/)
  t.deepEqual(fs.readdirSync(tree), [])
})

test('copies of a large file are limited in all', async (t) => {
  const tree = folder()
  fs.writeFileSync(join(tree, 'big'), Buffer.alloc(100 * 1024 * 1024, 'x'))
  const copy = (at: number): string =>
    `diff --git a/big b/c${at}\nsimilarity index 100%\ncopy from big\ncopy to c${at}\n`
  const { exitCode, stderr } = await cli(['patch', 'apply', '--tree', tree, '-'], { input: repeat(50, copy) })
  t.is(exitCode, 1)
  t.regex(stderr, /b\/c5: what it unpacks or copies is too large/)
  t.deepEqual(fs.readdirSync(tree), ['big'])
})

const edits: Readonly<Record<string, string>> = {
  'operands without an end': `+if (a\n${repeat(20_000, (at) => `+ || b${at} && MATCH\n`)}+)x();\n`,
  'statements without an end': repeat(10_000, (at) => `+a${at}();\n+MATCH(${at});\n`),
  'braces 100,000 deep': `${'+if (a) {\n'.repeat(100_000)}+MATCH;\n${'+}\n'.repeat(100_000)}`,
  'conditions 100,000 deep': `${'+if (a)\n'.repeat(100_000)}+MATCH;\n`,
  'parentheses 100,000 deep': `+if (${'('.repeat(100_000)}a${')'.repeat(100_000)} ||\n+ MATCH)\n+ x();\n`,
}

for (const [title, body] of Object.entries(edits)) {
  test(`an edit is made or refused, never without an end: ${title}`, async (t) => {
    const input = `--- /dev/null\n+++ b/f.c\n@@ -0,0 +1,${body.split('\n').length - 1} @@\n${body}`
    const { exitCode, stderr } = await cli(['patch', 'edit', '--drop-lines', 'MATCH', '-'], { input })
    t.true(exitCode === 0 || (exitCode === 1 && /E_PATCH_EDIT/.test(stderr)), stderr.slice(0, 300))
  })
}

/** Each command, and both signals. */
const interrupted = [
  ['SIGINT', 'apply'],
  ['SIGTERM', 'check'],
  ['SIGINT', 'rewrite'],
  ['SIGTERM', 'edit'],
] as const

for (const [signal, command] of interrupted) {
  test(`${signal} is heard in the middle of patch ${command}`, async (t) => {
    const tree = folder()
    const big = oneOff(60_000, () => '')
    fs.writeFileSync(join(tree, 'f.c'), big.file)
    fs.writeFileSync(
      join(tree, 'p.patch'),
      big.patch.replaceAll('/f.c', command === 'edit' ? '/f.txt' : '/f.c'),
    )
    const args = command === 'edit' ? ['--drop-lines', 'number'] : ['--tree', tree]
    const child = spawn(
      process.execPath,
      [resolve('dist/src/cli.js'), 'patch', command, ...args, join(tree, 'p.patch')],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    )
    let stderr = ''
    child.stderr.on('data', (chunk: Buffer) => void (stderr += chunk.toString()))
    const ended = new Promise<number | null>((done) => child.on('close', done))
    await sleep(500)
    child.kill(signal)
    const started = performance.now()
    t.is(await ended, 130, stderr)
    t.true(performance.now() - started < 5000)
    t.is(fs.readFileSync(join(tree, 'f.c'), 'utf8'), big.file)
    t.deepEqual(fs.readdirSync(tree).toSorted(), ['f.c', 'p.patch'])
  })
}

import * as fs from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { cli } from '../../helpers/cli.ts'
import { gitBytes as git } from '../../helpers/git-mail.ts'
import { needProgram, testWith } from '../../helpers/need.ts'
import { seededRandom } from '../../helpers/random.ts'
import { temporaryFolders } from '../../helpers/temporary.ts'

const folder = temporaryFolders()

/** quoted-printable as mailers make it: at most 76 characters a line, blanks at line ends escaped. */
function quotedPrintable(text: string): string {
  const line = (raw: string): string => {
    const pieces = Array.from(raw, String).map((char, at) =>
      /[!-<>-~]/.test(char) || (/[ \t]/.test(char) && at < raw.length - 1)
        ? char
        : `=${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
    )
    let [out, width] = ['', 0]
    for (const piece of pieces) {
      if (width + piece.length > 75) [out, width] = [`${out}=\n`, 0]
      out += piece
      width += piece.length
    }
    return out
  }
  return text.split('\n').map(line).join('\n')
}

const base64 = (text: string): string =>
  `${Buffer.from(text, 'latin1').toString('base64').replaceAll(/.{76}/g, '$&\n')}\n`

/** format=flowed: lines are broken behind a blank, and what begins with one, or with > or From, gets another. */
function flowed(text: string, delSp: boolean): string {
  const stuffed = (part: string): string => (/^(?: |>|From )/.test(part) ? ` ${part}` : part)
  const line = (raw: string): string => {
    if (raw === '-- ') return raw
    const parts = raw.match(/.{1,50}\S* |.+$/g) ?? ['']
    const last = parts.at(-1) ?? ''
    const whole = last.endsWith(' ') ? [...parts, ''] : parts
    return whole.map((part, at) => stuffed(part) + (delSp && at < whole.length - 1 ? ' ' : '')).join('\n')
  }
  return text.split('\n').map(line).join('\n')
}

const head =
  'From a@example.org Mon Jan  1 00:00:00 2024\nFrom: A B <a@example.org>\nDate: Mon, 1 Jan 2024 10:00:00 +0000\nSubject: [PATCH] change\nMIME-Version: 1.0\n'
const html = '<html><body><pre>--- a/f.c\n+++ b/f.c\n@@ -1 +1 @@\n-&lt;x&gt;\n+&amp;</pre></body></html>\n'
const text = 'Content-Type: text/plain; charset=UTF-8\n'
const encoded = (how: string): string => `Content-Transfer-Encoding: ${how}\n`

const multipart = (type: string, ...parts: readonly string[]): string =>
  `${head}Content-Type: multipart/${type};\n boundary="=-=x y"\n\nto be ignored\n${parts.map((part) => `--=-=x y\n${part}\n`).join('')}--=-=x y--\n`

type Maker = (message: string, diff: string) => string

const makers: Readonly<Record<string, Maker>> = {
  'quoted-printable': (message, diff) =>
    `${head}${text}${encoded('quoted-printable')}\n${quotedPrintable(`${message}---\n${diff}`)}`,
  'quoted-printable, lower case and a header without a charset': (message, diff) =>
    `${head}Content-type: TEXT/PLAIN\ncontent-transfer-encoding: Quoted-Printable\n\n${quotedPrintable(`${message}---\n${diff}`).replaceAll(/=[0-9A-F]{2}/g, (code) => code.toLowerCase())}`,
  base64: (message, diff) => `${head}${text}${encoded('base64')}\n${base64(`${message}---\n${diff}`)}`,
  'base64 in Latin-1': (message, diff) =>
    `${head}Content-Type: text/plain; charset="iso-8859-1"\n${encoded('base64')}\n${base64(`${message}---\n${diff}-- \n2.39.5\n`)}`,
  'an attachment in base64': (message, diff) =>
    multipart(
      'mixed',
      `${text}${encoded('quoted-printable')}\n${quotedPrintable(message)}`,
      `Content-Type: text/x-patch; name="c.patch"\n${encoded('base64')}Content-Disposition: attachment;\n filename="c.patch"\n\n${base64(diff)}`,
    ),
  'an attachment as it is': (message, diff) =>
    multipart(
      'mixed',
      `${text}\n${message}---\n`,
      `Content-Type: text/x-diff; name=c.diff\n${encoded('8bit')}\n${diff}`,
    ),
  'format=flowed': (message, diff) =>
    `${head}Content-Type: text/plain; charset=UTF-8; format=flowed\n\n${flowed(`${message}---\n${diff}-- \n2.39.5\n`, false)}`,
  'format=flowed with DelSp': (message, diff) =>
    `${head}Content-Type: text/plain; charset=UTF-8;\n\tformat=flowed; delsp=yes\n\n${flowed(`${message}---\n${diff}`, true)}`,
}

/** What git 2.39 itself can not read. */
const beyondGit: Readonly<Record<string, Maker>> = {
  'format=flowed with DelSp, in quoted-printable': (message, diff) =>
    `${head}Content-Type: text/plain; charset=UTF-8;\n\tformat=flowed; delsp=yes\n${encoded('quoted-printable')}\n${quotedPrintable(flowed(`${message}---\n${diff}`, true))}`,
  'parts within parts': (message, diff) =>
    `${head}Content-Type: multipart/mixed; boundary=outer\n\n--outer\nContent-Type: multipart/related; boundary=inner\n\n--inner\n${text}${encoded('quoted-printable')}\n${quotedPrintable(`${message}---\n${diff}`)}\n--inner--\n--outer--\n`,
}

const words = [
  'if (a == b)',
  '\tx = "=3D";',
  '\t\treturn 1;',
  'é ü',
  '',
  '=',
  '\tlong_name_of_a_function(with, quite, a, number, of, arguments, that, goes, on);',
  '>quoted',
  '.dot',
  '\ttrailing  ',
  '#define A\t1',
  'From here',
]

/** A file, and the same with some lines replaced, added and removed; UTF-8 as a binary string. */
function versions(seed: number): { readonly before: string; readonly after: string } {
  const random = seededRandom(seed)
  const pick = (): string => Buffer.from(words[Math.floor(random() * words.length)] ?? '').toString('latin1')
  const lines = Array.from({ length: 60 }, (_, at) => `${pick()} /* ${at} */`)
  const changed = lines.flatMap((line, at) => {
    if (at === 30) return [`${pick()} /* replaced by \xe2\x80\x93 = */`]
    const chance = random()
    return chance < 0.05 ? [] : chance < 0.12 ? [line, `${pick()} added`, pick()] : [line]
  })
  return { before: `${lines.join('\n')}\n`, after: `${changed.join('\n')}\n` }
}

for (const [title, make] of Object.entries({ ...makers, ...beyondGit })) {
  const peer = title in makers ? 'the same as git am' : 'the change itself'
  testWith([needProgram('git')], `encoded mail: ${title}: ${peer}, to the byte`, async (t) => {
    for (const seed of [1, 2, 3]) {
      const tree = folder()
      const { before, after } = versions(seed)
      const file = join(tree, 'f.c')
      git(tree, ['init', '-q'])
      fs.writeFileSync(file, before, 'latin1')
      git(tree, ['add', '.'])
      git(tree, ['commit', '-qm', 'base'])
      fs.writeFileSync(file, after, 'latin1')
      fs.writeFileSync(join(tree, 'new file'), `a = b;\n${after}`, 'latin1')
      git(tree, ['add', '-A'])
      const diff = git(tree, ['diff', '--cached']).stdout
      git(tree, ['reset', '-q', '--hard'])
      const mail = make('Why.\n\nSigned-off-by: \xc3\x84 B <a@example.org>\n', diff)
      if (title in makers) {
        const am = git(tree, ['am', '-q', '-'], mail)
        t.is(am.status, 0, am.stderr)
        t.is(fs.readFileSync(file, 'latin1'), after, 'what git makes of the mail is the change')
        git(tree, ['reset', '-q', '--hard', 'HEAD^'])
      }
      const box = join(folder(), 'mail.eml')
      fs.writeFileSync(box, mail, 'latin1')
      const run = await cli(['patch', 'apply', '--tree', tree, box])
      t.is(run.exitCode, 0, run.stderr)
      t.is(fs.readFileSync(file, 'latin1'), after)
      t.is(fs.readFileSync(join(tree, 'new file'), 'latin1'), `a = b;\n${after}`)
    }
  })
}

const small = { before: 'one\nint a = 1;\nthree\n', after: 'one\nint a = 2;\nthree\n' }
const smallDiff = '--- a/f.c\n+++ b/f.c\n@@ -1,3 +1,3 @@\n one\n-int a = 1;\n+int a = 2;\n three\n'

async function applied(mail: string): Promise<{ exitCode: number; stderr: string; text: string }> {
  const tree = folder()
  fs.writeFileSync(join(tree, 'f.c'), small.before)
  const box = join(folder(), 'mail.eml')
  fs.writeFileSync(box, mail, 'latin1')
  const { exitCode, stderr } = await cli(['patch', 'apply', '--tree', tree, box])
  return { exitCode, stderr, text: fs.readFileSync(join(tree, 'f.c'), 'utf8') }
}

const plainPart = `${text}${encoded('quoted-printable')}\n${quotedPrintable(smallDiff)}`
const taken: Readonly<Record<string, string>> = {
  'a text that speaks of an encoding': `${head}\nDecode the field\n\nContent-Transfer-Encoding: base64\n\nas it is.\n---\n${smallDiff}`,
  'CR LF on its way, as the standard has it':
    makers['quoted-printable']?.('Why.\n', smallDiff).replaceAll('\n', '\r\n') ?? '',
  'base64 of text with CR LF': `${head}${text}${encoded('base64')}\n${base64(smallDiff.replaceAll('\n', '\r\n'))}`,
  'text beside HTML': multipart('alternative', plainPart, `Content-Type: text/html\n\n${html}`),
  'signed, and with a picture': multipart(
    'mixed',
    plainPart,
    `Content-Type: image/png\n${encoded('base64')}\n${base64('--- a/f.c\n+++ b/f.c\n')}`,
    `Content-Type: application/pgp-signature\n\n-----BEGIN PGP SIGNATURE-----\n+abc\n-----END PGP SIGNATURE-----\n`,
  ),
  'an attachment of no type with the name of a patch': multipart(
    'mixed',
    `${text}\nsee there\n`,
    `Content-Type: application/octet-stream; name="x.patch"\n${encoded('base64')}\n${base64(smallDiff)}`,
  ),
  'a mail as an attachment, itself encoded': multipart(
    'mixed',
    `${text}\nforwarded\n`,
    `Content-Type: message/rfc822\n\n${makers['quoted-printable']?.('Why.\n', smallDiff).replace(/^From .*\n/, '')}`,
  ),
  'a list’s footer behind the base64': `${head}${text}${encoded('base64')}\n${base64(smallDiff)}\n_______________\nthe-list mailing list\n`,
  'decoded by hand, the header left': `${head}${text}${encoded('quoted-printable')}\nWhy.\n---\n${smallDiff}`,
}

for (const [title, mail] of Object.entries(taken)) {
  test(`encoded mail: ${title} is read`, async (t) => {
    const { exitCode, stderr, text } = await applied(mail)
    t.is(exitCode, 0, stderr)
    t.is(text, small.after)
  })
}

const refusedMails: Readonly<Record<string, readonly [string, RegExp]>> = {
  'another encoding': [`${head}${text}${encoded('x-uuencode')}\n${smallDiff}`, /encoded as x-uuencode/],
  'HTML alone': [`${head}Content-Type: text/html\n\n${html}`, /HTML alone/],
  'HTML alone in two parts': [multipart('alternative', `Content-Type: text/html\n\n${html}`), /HTML alone/],
  'UTF-16': [
    `${head}Content-Type: text/plain; charset=utf-16le\n${encoded('base64')}\n${base64(smallDiff)}`,
    /charset utf-16le/,
  ],
  'an encrypted one': [multipart('encrypted', `${text}\n${smallDiff}`), /encrypted/],
  'damaged base64': [
    `${head}${text}${encoded('base64')}\n${base64(smallDiff).replace(/^(.{30})/, '$1!')}`,
    /base64 of the mail is damaged/,
  ],
  'decoded in part': [
    `${head}${text}${encoded('quoted-printable')}\n${smallDiff.replace('= 2', '= 2 =3D= 3')}`,
    /in part only/,
  ],
  'without its header': [quotedPrintable(smallDiff), /no header says so/],
  'a second one behind a plain one': [
    `${head}\n${smallDiff}\n${makers['quoted-printable']?.('Why.\n', smallDiff).replace(/^From .*\n/, '')}`,
    /in the midst of a text/,
  ],
  'format=flowed of a patch that was not made for it': [
    `${head}Content-Type: text/plain; format=flowed\n\n${smallDiff}`,
    /format=flowed, which breaks/,
  ],
}

for (const [title, [mail, reason]] of Object.entries(refusedMails)) {
  test(`encoded mail: ${title} is refused by name`, async (t) => {
    const { exitCode, stderr, text } = await applied(mail)
    t.is(exitCode, 1)
    t.regex(stderr, reason)
    t.is(text, small.before)
  })
}

testWith(
  [needProgram('git')],
  'encoded mail: an mbox of mails, each in its own encoding, and rewritten as plain ones',
  async (t) => {
    const second = smallDiff.replaceAll('= 2', '= 3').replace('= 1', '= 2')
    const third = smallDiff.replaceAll('= 2', '= 4').replace('= 1', '= 3')
    const box =
      (makers['base64']?.('One.\n', smallDiff) ?? '') +
      (makers['quoted-printable']?.('Two.\n', second) ?? '') +
      `${head.replace('MIME-Version: 1.0\n', '')}\nThree.\n---\n${third}`
    t.is((await applied(box)).text, small.after.replace('= 2', '= 4'))
    const tree = folder()
    fs.writeFileSync(join(tree, 'f.c'), small.before)
    const rewritten = await cli(['patch', 'rewrite', '--tree', tree, '-'], { input: box })
    t.is(rewritten.exitCode, 0, rewritten.stderr)
    git(tree, ['init', '-q'])
    git(tree, ['add', '.'])
    git(tree, ['commit', '-qm', 'base'])
    const am = git(tree, ['am', '-q', '-'], rewritten.stdout)
    t.is(am.status, 0, am.stderr)
    t.is(fs.readFileSync(join(tree, 'f.c'), 'utf8'), small.after.replace('= 2', '= 4'))
  },
)

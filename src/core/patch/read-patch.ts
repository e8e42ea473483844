import { finish, type Steps } from '../steps.ts'
import { mailText } from './mail/mail-text.ts'
import type { PatchDocument } from './model.ts'
import { parsePatchSteps } from './parse.ts'

/**
 * Reads a patch as people have it (binary string): a diff, or mails, whose encodings are undone first. Such a
 * document prints as the decoded mails.
 */
export const readPatch = (text: string): PatchDocument => finish(readPatchSteps(text))

/** The same, hunk by hunk. */
export function* readPatchSteps(text: string): Steps<PatchDocument> {
  const mail = mailText(text)
  if ('refused' in mail) return malformed(text, Math.max(mail.line, 1), mail.refused)
  const patch = yield* parsePatchSteps(mail.text)
  if (mail.decoded) {
    const damage = mail.flowed
      ? '; the mail is format=flowed, which breaks the lines of patches: get it as an attachment'
      : ''
    const problems = patch.problems.map(({ line, reason }) => ({
      line,
      reason: `${reason}${damage} (the line of the decoded mail)`,
    }))
    return { ...patch, problems }
  }
  const line = quotedLine(patch)
  return line === undefined || patch.problems.length > 0 ? patch : malformed(text, line, quoted)
}

const malformed = (text: string, line: number, reason: string): PatchDocument => ({
  files: [],
  trailer: text,
  problems: [{ line, reason }],
})

const quoted =
  'the patch is quoted-printable (every = is written as =3D), but no header says so: save the mail with its headers'

/** The line of the first file of a patch of which each equals sign is an escape, as in a mail that lost its header. */
function quotedLine({ files }: PatchDocument): number | undefined {
  let escapes = 0
  for (const { hunks } of files) {
    for (const { lines } of hunks) {
      for (const { text } of lines) {
        for (const [sign] of text.matchAll(/=(?:[0-9A-F]{2}|\r?\n)?/g)) {
          if (sign === '=') return undefined
          if (sign === '=3D') escapes++
        }
      }
    }
  }
  return escapes > 0 ? files[0]?.line : undefined
}

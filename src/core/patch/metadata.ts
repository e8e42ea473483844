import { displayText } from './lines.ts'

/** What a patch says of itself in the text ahead of its first file. */
export interface PatchMetadata {
  readonly subject: string | undefined
  /** First version that needs the patch (`Since:`); of the kernel or of a release. */
  readonly since: string | undefined
  /** First version that no longer needs it (`Until:`). */
  readonly until: string | undefined
}

/**
 * Reads the mail-style header lines of a patch's preamble.
 * @param preamble binary string; the first file's `preamble` of a parsed patch
 */
export function patchMetadata(preamble: string): PatchMetadata {
  const text = displayText(preamble)
  const field = (name: string): string | undefined =>
    new RegExp(String.raw`^${name}:[ \t]*(\S.*(?:\n[ \t]+\S.*)*)`, 'im')
      .exec(text)?.[1]
      ?.replaceAll(/\s+/g, ' ')
      .trim()
  return {
    subject: field('Subject')?.replace(/^\[PATCH[^\]]*\]\s*/i, ''),
    since: field('Since'),
    until: field('Until'),
  }
}

/**
 * A patch as bytes: every string in this model is a "binary string", one character per byte, so that
 * text in any encoding survives. Concatenating `preamble`, `header`, each hunk's `head` and the `raw`
 * of its lines, and the document's `trailer` gives back the input, byte by byte.
 *
 * Formats: the unified format of GNU diffutils ("Detailed Description of Unified Format") and git's
 * extended headers and binary patches (git's diff-format documentation).
 */
export interface PatchDocument {
  readonly files: readonly FilePatch[]
  /** What follows the last hunk: a mail signature, or the whole text where there is no patch at all. */
  readonly trailer: string
  /** Why this is not a well-formed patch; such a document prints as it came and is never applied. */
  readonly problems: readonly PatchProblem[]
}

export interface PatchProblem {
  /** 1-based line of the patch. */
  readonly line: number
  readonly reason: string
}

export interface FilePatch {
  /** Text before the header: mail headers, a description, a diffstat. */
  readonly preamble: string
  /** From `diff`, `Index:` or `---` to the line before the first hunk, as it came. */
  readonly header: string
  /** 1-based line of the patch at which `header` begins. */
  readonly line: number
  /** Name on the `---` side, prefix included; undefined where there is none. */
  readonly oldName: string | undefined
  readonly newName: string | undefined
  /** The old (new) side does not exist: /dev/null, or the epoch as its time stamp. */
  readonly oldAbsent: boolean
  readonly newAbsent: boolean
  /** git's extended headers; undefined for plain unified diffs. */
  readonly git: GitHeader | undefined
  /** `--- ` ended in CR LF: the patch went through something that converts line ends. */
  readonly crlfHeader: boolean
  readonly hunks: readonly Hunk[]
  /** Body of a `GIT binary patch` (or the `Binary files … differ` line), as it came. */
  readonly binary: string | undefined
}

export interface GitHeader {
  /** `uncopy` is a copy undone: `from` goes, `to` is what it was made of. */
  readonly operation: 'modify' | 'create' | 'delete' | 'rename' | 'copy' | 'uncopy'
  /** From `rename from`/`copy from`: without the a/ prefix. */
  readonly from: string | undefined
  readonly to: string | undefined
  readonly oldMode: number | undefined
  readonly newMode: number | undefined
  /** Mode on the `index` line, given where it does not change. */
  readonly indexMode: number | undefined
  /** Abbreviated blob ids of the `index` line. */
  readonly oldBlob: string | undefined
  readonly newBlob: string | undefined
}

export interface Range {
  /** 1-based; 0 when `count` is 0 at the top of a file. */
  readonly start: number
  readonly count: number
}

export interface Hunk {
  /** The `@@ … @@` line as it came, line end included. */
  readonly head: string
  readonly old: Range
  readonly new: Range
  /** Text after the second `@@`, trimmed: the function or section that the hunk stands in. */
  readonly section: string
  readonly lines: readonly HunkLine[]
}

export type LineKind = 'context' | 'removed' | 'added'

export interface HunkLine {
  readonly kind: LineKind
  /** The line of the file with its line feed; without one where the file ends there without it. */
  readonly text: string
  /** As it stood in the patch: marker, line end, and a `\ No newline at end of file` that follows. */
  readonly raw: string
}

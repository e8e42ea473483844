/** Colours and weights (SGR of ECMA-48) hide nothing and are left out. */
// oxlint-disable-next-line no-control-regex -- terminals' control sequences are what this is about
const colours = /\u001B\[[0-9;:]*m/g

/**
 * What a terminal obeys or a reader is deceived by: control characters but for line end and tab, the marks that
 * turn the direction of text (UAX #9; CVE-2021-42574), line ends of Unicode, characters without width.
 */
const unseen =
  // oxlint-disable-next-line no-control-regex -- as above
  /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u00AD\u061C\u180E\u200B-\u200F\u2028-\u202E\u2060-\u2069\uFEFF\uFFF9-\uFFFB\u{E0000}-\u{E007F}]/gu

/**
 * Text for people and terminals, of which some words came from a tree, patch, log or server: what could not be
 * seen stands as its JSON escape, so that JSON stays JSON with the same meaning, and a line a line.
 */
export function visibleText(text: string): string {
  return text.replaceAll(colours, '').replaceAll(unseen, escapeOf)
}

function escapeOf(character: string): string {
  const units = Array.from({ length: character.length }, (_, at) => character.charCodeAt(at))
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('')
}

import type { Pattern } from './align.ts'
import type { FileText } from './file-text.ts'
import type { HunkSides } from './hunk-sides.ts'

/** Context lines count the less the farther they stand from the nearest change. */
const nearness = [1, 0.8, 0.6, 0.5]
/** A line to be removed must be there, so that it says more about the place than context. */
const removedWeight = 1.5

/** Even a blank line counts right beside a change: lines were rarely put just there. */
const leastBeside = 0.13

/** The hunk's old text with each line weighed by how much it proves in this file. */
export function patternOf(file: FileText, sides: HunkSides): Pattern {
  const { pre } = sides
  const distance = Array.from<number>({ length: pre.length }).fill(Number.POSITIVE_INFINITY)
  const mandatory = Array.from<boolean>({ length: pre.length }).fill(false)
  const glued = Array.from<boolean>({ length: pre.length }).fill(false)
  const seam = Array.from<boolean>({ length: pre.length + 1 }).fill(false)
  for (const { preStart, removed } of sides.groups) {
    seam[preStart] = true
    seam[preStart + removed] = true
    for (let at = 0; at < pre.length; at++) {
      const far = at < preStart ? preStart - at : at - (preStart + removed) + 1
      distance[at] = Math.min(distance[at] ?? far, Math.max(far, 0))
    }
    for (let at = preStart; at < preStart + removed; at++) {
      mandatory[at] = true
      glued[at] = at > preStart
    }
  }
  const weights = pre.map((line, at) => {
    const near = distance[at] ?? 0
    const factor = near === 0 ? removedWeight : (nearness[Math.min(near, nearness.length) - 1] ?? 0)
    const least = near === 1 ? leastBeside : 0
    return Math.max(factor * lineInformation(file, line), least)
  })
  return {
    lines: pre,
    weights,
    mandatory,
    glued,
    seam,
    fuzzy: distance.map((near) => near <= nearness.length - 1),
  }
}

/** Lines that end any block: braces spelt in words. */
const closers = /^\s*(#\s*)?(end(if|menu|choice)?|else|fi|done|esac|break;)\s*$/

/**
 * How much meeting this line says about where one is: about 1 for a line of words that the file has
 * once, less for frequent and short ones; blank and brace-only lines prove next to nothing.
 */
export function lineInformation(file: FileText, line: string): number {
  if (closers.test(line)) return 0.12
  const letters = line.replaceAll(/[^0-9A-Za-z]+/g, '').length
  if (letters === 0) return line.trim() === '' ? 0.08 : 0.12
  const times = Math.max(file.positions(line).length, 1)
  return Math.max(0.12, (Math.min(letters, 8) / 8) * (1 / (1 + 0.6 * Math.log2(times))))
}

/** Blank and brace-only lines, which may stand anywhere. */
export const isWeak = (line: string): boolean => !/[0-9A-Za-z]/.test(line)

/** A line less telling than this stands elsewhere anyway, so that meeting it there says nothing. */
export const minTornInformation = 0.2

import type { Fix } from './fix.ts'
import { configLine } from '../dot-config.ts'
import { originText } from '../types.ts'
import type { Explanation, Term } from './explanation.ts'

/**
 * Writes an explanation for people: unmet conditions first and indented, what is met in one line.
 */
export function explanationText(explanation: Explanation): string {
  return `${linesOf(explanation, '').join('\n')}\n`
}

function linesOf(explanation: Explanation, indent: string): readonly string[] {
  const place = explanation.origin === undefined ? '' : ` (${originText(explanation.origin)})`
  const got = explanation.got === explanation.wanted ? '' : `, is ${explanation.got}`
  const lines = [
    `${indent}${explanation.symbol}: wanted ${explanation.wanted}${got}: ${explanation.reason}${place}`,
  ]
  if (explanation.verdict === 'again' || explanation.verdict === 'holds') return lines
  const unmet = explanation.terms.filter((term) => !term.met)
  const never = unmet.filter((term) => term.never)
  // What can never be met makes everything else beside the point.
  for (const term of never.length > 0 ? never : unmet) lines.push(...unmetLines(term, `${indent}  `))
  const met = explanation.terms.filter((term) => term.met)
  if (met.length > 0 && never.length === 0 && explanation.verdict !== 'selected')
    lines.push(`${indent}  met: ${met.map((term) => term.text).join(' && ')}`)
  return lines
}

function unmetLines(term: Term, indent: string): readonly string[] {
  const values =
    term.values.length === 1 && term.values[0]?.startsWith(`${term.text}=`) ? term.values[0] : undefined
  const shown = values ?? `${term.text}${term.values.length === 0 ? '' : `  [${term.values.join(', ')}]`}`
  return [
    `${indent}${term.never ? 'never met here' : 'not met'}: ${shown} (${originText(term.origin)})`,
    ...term.next.flatMap((next) => linesOf(next, `${indent}  `)),
  ]
}

/** The lines of a fix as a fragment, with what they cost in a comment. */
export function fixText(fix: Fix, header: readonly string[]): string {
  const lost =
    fix.lost.length === 0
      ? []
      : [
          `turns off ${fix.lost.length}: ${fix.lost.slice(0, 10).join(', ')}${fix.lost.length > 10 ? ', …' : ''}`,
        ]
  const lines = [...fix.lines].map(([symbol, value]) => configLine(symbol, value))
  return `${[...[...header, ...lost].map((line) => `# ${line}`), ...lines].join('\n')}\n`
}

import { usageError } from '../errors.ts'
import { assertConfigText, parseConfigLine } from './config-line.ts'
import { nearestNames } from './nearest.ts'
import { parseSeries } from './series.ts'
import {
  originText,
  type Assignment,
  type Fragment,
  type FragmentGroup,
  type KernelSeries,
  type Need,
  type Origin,
} from './types.ts'

const keys = ['purpose', 'need', 'since', 'until', 'only-if'] as const
type Key = (typeof keys)[number]

interface OpenGroup {
  purpose: string
  need: Need
  since?: KernelSeries
  until?: KernelSeries
  onlyIf: readonly string[]
  readonly seen: Set<Key>
  readonly lines: { readonly symbol: string; readonly value: string; readonly origin: Origin }[]
}

/**
 * Reads a Kconfig fragment: .config lines, and comments `#@ key: value` that say what a plain
 * fragment cannot. `purpose` opens a group; `need` (required, optional), `since` and `until`
 * (first and last kernel series) and `only-if` (symbols that must exist) hold for its lines.
 * Lines before the first `purpose`, and so every plain fragment, are required everywhere.
 * @param file name used in messages
 * @throws usage error with file and line: unknown key, bad value, a symbol assigned twice
 */
export function parseFragment(text: string, file: string): Fragment {
  assertConfigText(text, file)
  const groups: OpenGroup[] = [newGroup('')]
  const first = new Map<string, Origin>()
  let number = 0
  for (const line of text.split('\n')) {
    number += 1
    const origin = { file, line: number }
    if (line.startsWith('#@')) {
      readAttribute(line, origin, groups)
      continue
    }
    const assignment = parseConfigLine(line, origin)
    if (assignment === undefined) continue
    const earlier = first.get(assignment.symbol)
    if (earlier !== undefined)
      throw usageError(
        'E_FRAGMENT_DUPLICATE',
        `${originText(origin)}: CONFIG_${assignment.symbol} is already assigned at ${originText(earlier)}`,
        { hint: 'Keep one of the two lines; to override another file, put this file after it.' },
      )
    first.set(assignment.symbol, origin)
    groups.at(-1)?.lines.push({ ...assignment, origin })
  }
  return { file, groups: groups.filter((group) => group.lines.length > 0).map(closeGroup) }
}

const newGroup = (purpose: string): OpenGroup => ({
  purpose,
  need: 'required',
  onlyIf: [],
  seen: new Set(),
  lines: [],
})

function closeGroup(group: OpenGroup): FragmentGroup {
  const { purpose, need, since, until, onlyIf } = group
  return {
    purpose,
    need,
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
    onlyIf,
    assignments: group.lines.map((line): Assignment => ({ ...line, need })),
  }
}

function readAttribute(line: string, origin: Origin, groups: OpenGroup[]): void {
  const match = /^#@\s*([\w-]+)\s*:\s*(.*?)\s*$/.exec(line)
  if (match?.[1] === undefined || match[2] === undefined)
    throw attributeError(
      origin,
      `not a fragment comment: ${line}`,
      `Write '#@ key: value' with one of ${keys.join(', ')}.`,
    )
  const key = keys.find((known) => known === match[1])
  const value = match[2]
  if (key === undefined) {
    const [nearest] = nearestNames(match[1], keys, 1)
    throw attributeError(
      origin,
      `unknown key '${match[1]}'`,
      nearest === undefined ? `The keys are ${keys.join(', ')}.` : `Did you mean '#@ ${nearest}: ${value}'?`,
    )
  }
  if (value === '') throw attributeError(origin, `'${key}' has no value`, `Write '#@ ${key}: …'.`)
  if (key === 'purpose') {
    groups.push(newGroup(value))
    return
  }
  const group = groups.at(-1)
  if (group === undefined || group.purpose === '')
    throw attributeError(
      origin,
      `'${key}' before any '#@ purpose: …'`,
      'A group opens with its purpose line.',
    )
  if (group.lines.length > 0)
    throw attributeError(
      origin,
      `'${key}' after the first line of its group`,
      'Put it right below the purpose line.',
    )
  if (group.seen.has(key)) throw attributeError(origin, `'${key}' twice in one group`, 'Keep one of them.')
  group.seen.add(key)
  setAttribute(group, key, value, origin)
}

function setAttribute(group: OpenGroup, key: Exclude<Key, 'purpose'>, value: string, origin: Origin): void {
  if (key === 'need') {
    if (value !== 'required' && value !== 'optional')
      throw attributeError(origin, `need is '${value}'`, "It is 'required' or 'optional'.")
    group.need = value
    return
  }
  if (key === 'only-if') {
    const symbols = value.split(/[\s,]+/)
    const wrong = symbols.find((symbol) => !/^\w+$/.test(symbol) || symbol.startsWith('CONFIG_'))
    if (wrong !== undefined)
      throw attributeError(
        origin,
        `'${wrong}' is no symbol name`,
        "Write names without CONFIG_, e.g. '#@ only-if: PCI_HYPERV'.",
      )
    group.onlyIf = symbols
    return
  }
  const series = parseSeries(value)
  if (series === undefined || !/^\d+\.\d+$/.test(value))
    throw attributeError(origin, `'${value}' is no kernel series`, `Write it like '#@ ${key}: 5.15'.`)
  group[key] = series
}

const attributeError = (origin: Origin, what: string, hint: string) =>
  usageError('E_FRAGMENT_COMMENT', `${originText(origin)}: ${what}`, { hint })

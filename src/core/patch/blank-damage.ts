import { mapSteps, type Steps } from '../steps.ts'
import { withoutEol } from './lines.ts'
import type { FilePatch, HunkLine } from './model.ts'
import {
  blankParted,
  contractBlanks,
  expandTabs,
  type InnerEvidence,
  type InnerRuns,
  leadOf,
  lineKey,
  plainBlanks,
  possibleTabs,
  type TabRule,
  tabRules,
  withoutTail,
} from './white-space.ts'

/** A file of the patch, and its lines in the tree. */
export interface FileEvidence {
  readonly file: FilePatch
  readonly lines: readonly string[]
}

/** What became of the white space of a whole patch on its way, and how it is put right. */
export interface BlankDamage {
  /** For people: "its tabs had become blanks". */
  readonly name: string
  /** A line of the patch as it was; undefined where that can not be told. */
  readonly restore: (line: string) => string | undefined
  /** Whether lines that stand in a file as they are have what the damage would have changed: blanks of its own. */
  readonly contradicts: (standing: readonly string[]) => boolean
  /** Ends of the names of files in which it was seen: files that are new are taken to be like them. */
  readonly suffixes: ReadonlySet<string>
}

/** Lines of the patch beside the lines of the tree that say the same with other white space. */
interface Evidence {
  readonly pairs: readonly (readonly [string, string])[]
  /** Lines that stand in the tree as they are. */
  readonly same: readonly string[]
  /** All lines of the patch. */
  readonly all: readonly string[]
  readonly suffixes: ReadonlySet<string>
}

/**
 * What happened to the white space of a patch, by its context and removed lines that stand in the tree with other
 * white space alone. That the tree itself was indented anew is told from damage by what only damage does: the whole
 * patch has none of what it lost.
 * @returns undefined where nothing did, or it was the tree that changed
 */
export function* blankDamage(files: readonly FileEvidence[]): Steps<BlankDamage | undefined> {
  const seen = yield* evidenceOf(files)
  if (seen.pairs.length === 0) return undefined
  const odd = seen.pairs.some(
    ([ours, theirs]) => plainBlanks(ours) !== ours && plainBlanks(theirs) === theirs,
  )
  if (!odd) return ofPlain(seen, (line) => line)
  const plain: Evidence = {
    ...seen,
    pairs: seen.pairs
      .map(([ours, theirs]) => [plainBlanks(ours), theirs] as const)
      .filter(([a, b]) => a !== b),
    all: seen.all.map(plainBlanks),
  }
  const name = 'blanks of it had become other characters'
  return (
    ofPlain(plain, plainBlanks) ?? {
      name,
      restore: plainBlanks,
      contradicts: () => false,
      suffixes: seen.suffixes,
    }
  )
}

/** What a file's name ends in behind its last dot, or its whole last part: files of one suffix are alike. */
export const suffixOf = (file: FilePatch): string =>
  /[^/.]*$/.exec((file.newAbsent ? file.oldName : file.newName) ?? '')?.[0]?.toLowerCase() ?? ''

/** The line of the tree for each key; null where lines of one key differ. */
export function linesByKey(lines: readonly string[]): ReadonlyMap<string, string | null> {
  const byKey = new Map<string, string | null>()
  for (const line of lines) {
    const key = lineKey(line)
    const known = byKey.get(key)
    byKey.set(key, known === undefined || known === line ? line : null)
  }
  return byKey
}

function* evidenceOf(files: readonly FileEvidence[]): Steps<Evidence> {
  const pairs: (readonly [string, string])[] = []
  const same: string[] = []
  const all: string[] = []
  const suffixes = new Set<string>()
  for (const { file, lines } of files) {
    const known = new Set(lines)
    const missing: string[] = []
    yield* mapSteps(file.hunks, (hunk) => {
      for (const { kind, text } of hunk.lines) {
        all.push(text)
        if (kind === 'added' || lineKey(text) === '') continue
        const where = known.has(text) ? same : missing
        where.push(text)
      }
    })
    if (missing.length === 0) continue
    const byKey = linesByKey(lines)
    for (const text of missing) {
      const theirs = byKey.get(lineKey(text))
      if (typeof theirs !== 'string' || eolOf(theirs) !== eolOf(text) || !sameWords(theirs, text)) continue
      pairs.push([text, theirs])
      suffixes.add(suffixOf(file))
    }
  }
  return { pairs, same, all, suffixes }
}

const eolOf = (line: string): string => line.slice(withoutEol(line).length)

const sameWords = (a: string, b: string): boolean => blankParted(a).join(' ') === blankParted(b).join(' ')

type Restore = BlankDamage['restore']

function ofPlain(evidence: Evidence, before: (line: string) => string): BlankDamage | undefined {
  const { pairs, same, all, suffixes } = evidence
  const made = (
    name: string,
    restore: Restore,
    contradicts: BlankDamage['contradicts'] = () => false,
  ): BlankDamage => ({ name, restore: (line) => restore(before(line)), contradicts, suffixes })
  const others = pairs.filter(([ours, theirs]) => withoutTail(ours) !== withoutTail(theirs))
  if (others.length === 0) {
    const hasTail = all.some((line) => lineKey(line) !== '' && /[ \t]\r?\n?$/.test(line))
    return pairs.length === 0 || hasTail
      ? undefined
      : made('blanks at the ends of its lines were cut off', (line) => line)
  }
  const hasTab = all.some((line) => line.includes('\t'))
  if (hasTab) {
    const rule = [8, 4, 2].find((width) =>
      others.every(([ours, theirs]) => isExpanded(theirs, ours, stopsOf(width))),
    )
    const isAll = rule !== undefined && !same.some((line) => line.includes('\t'))
    return isAll ? made('blanks of it had become tabs', (line) => expandTabs(line, stopsOf(rule))) : undefined
  }
  const runs = all.flatMap((line) => withoutTail(line).match(/ +/g) ?? [])
  if (
    runs.every((run) => run.length % 2 === 0) &&
    others.every(([ours, theirs]) => isExpanded(theirs, halved(ours)))
  ) {
    return made('its blanks had been doubled', halved)
  }
  // A patch may have no tabs and no runs by nature: then it is the tree that was aligned anew.
  const isMost = others.length > same.length
  if (runs.every((run) => run.length === 1)) {
    return isMost ? made('its runs of blanks had become one', ofLeads(others)) : undefined
  }
  if (!others.some(([, theirs]) => theirs.includes('\t'))) return undefined
  const fits = (rule: TabRule): number =>
    others.filter(([ours, theirs]) => isExpanded(ours, theirs, rule)).length
  const rules = tabRules.filter((rule) => fits(rule) * 4 >= others.length * 3)
  if (rules.length === 0) return isMost ? made(tabsLost, () => undefined) : undefined
  return made(tabsLost, byRules(evidence, rules), (standing) =>
    standing.some((line) =>
      rules.some((rule) => contractBlanks(leadOf(line), rule, allTabs) !== leadOf(line)),
    ),
  )
}

/** Rules that explain the lines of the tree may differ on others: then the one holds that leaves no blanks behind tabs. */
function byRules(evidence: Evidence, rules: readonly TabRule[]): Restore {
  const all = rules.map((rule) => ({ rule, inner: innerRuns(evidence, rule) }))
  return (line) => {
    const made = all.map(({ rule, inner }) => contractBlanks(line, rule, inner))
    if (made.includes(undefined)) return undefined
    const whole = made.filter((one) => one !== undefined && !/^\t+ /.test(one))
    const distinct = new Set(new Set(made).size === 1 ? made : whole)
    return distinct.size === 1 ? [...distinct][0] : undefined
  }
}

const allTabs = { several: 'tabs', single: 'tabs' } as const

const tabsLost = 'its tabs had become blanks'

const stopsOf = (width: number): TabRule => ({ kind: 'stops', width, origin: 0 })

/** Whether `blanks` is `line` with its tabs expanded (as it is without a rule); ends of lines do not count. */
const isExpanded = (blanks: string, line: string, rule?: TabRule): boolean =>
  withoutTail(blanks) === withoutTail(rule === undefined ? line : expandTabs(line, rule))

const halved = (line: string): string =>
  line.replaceAll(/ +/g, (run) => ' '.repeat(Math.ceil(run.length / 2)))

/** Where all runs became one blank, only the indentation that a like line shows can be given back. */
function ofLeads(pairs: Evidence['pairs']): Restore {
  const leads = new Map<string, string | undefined>()
  let areInnerSame = true
  for (const [ours, theirs] of pairs) {
    const [own, lead] = [leadOf(ours), leadOf(theirs)]
    leads.set(own, leads.has(own) && leads.get(own) !== lead ? undefined : lead)
    if (withoutTail(ours).slice(own.length) !== withoutTail(theirs).slice(lead.length)) areInnerSame = false
  }
  return (line) => {
    const own = leadOf(line)
    const lead = lineKey(line) === '' ? own : leads.get(own)
    const rest = line.slice(own.length)
    return lead === undefined || (!areInnerSame && / /.test(withoutTail(rest))) ? undefined : lead + rest
  }
}

/** What the tree has where blanks inside of the patch's lines may have been tabs. */
function innerRuns({ pairs, same }: Evidence, rule: TabRule): InnerEvidence {
  const seen = { several: new Set<'tabs' | 'blanks'>(), single: new Set<'tabs' | 'blanks'>() }
  for (const [ours, theirs] of [...pairs, ...same.map((line) => [line, line] as const)]) {
    const runs =
      withoutTail(theirs)
        .slice(leadOf(theirs).length)
        .match(/[ \t]+/g) ?? []
    for (const { single, at } of possibleTabs(withoutTail(ours), rule)) {
      seen[single ? 'single' : 'several'].add(runs[at]?.includes('\t') === true ? 'tabs' : 'blanks')
    }
  }
  const told = (found: ReadonlySet<'tabs' | 'blanks'>): InnerRuns =>
    (found.size === 1 ? [...found][0] : undefined) ?? 'unknown'
  // Single blanks are blanks unless something inside of lines was a tab.
  const hasTabs = seen.several.has('tabs') || seen.single.has('tabs')
  return { several: told(seen.several), single: hasTabs ? told(seen.single) : 'blanks' }
}

/**
 * A file's part of a damaged patch as it was: lines of the tree where they say the same, else what can be restored.
 * @param lines the file in the tree
 * @returns the line that can not be restored, where there is one
 */
export function restoreBlanks(
  file: FilePatch,
  lines: readonly string[],
  damage: BlankDamage,
  remake: (line: HunkLine, text: string) => HunkLine,
): FilePatch | { readonly unclear: string } {
  const known = new Set(lines)
  const byKey = linesByKey(lines)
  const old = file.hunks.flatMap((hunk) => hunk.lines.filter(({ kind }) => kind !== 'added'))
  const standing = old.map(({ text }) => text).filter((text) => known.has(text) && lineKey(text) !== '')
  const isOwn = damage.contradicts(standing)
  if (isOwn && old.every(({ text }) => known.has(text))) return file
  let unclear: string | undefined
  const restored = (line: HunkLine): HunkLine => {
    const { kind, text } = line
    if (lineKey(text) === '') return line
    const theirs = kind === 'added' ? undefined : known.has(text) ? text : byKey.get(lineKey(text))
    const own = typeof theirs === 'string' && eolOf(theirs) === eolOf(text) ? theirs : damage.restore(text)
    if (kind === 'added' && (own === undefined || (isOwn && own !== text))) unclear ??= text
    return own === undefined || own === text ? line : remake(line, own)
  }
  const hunks = file.hunks.map((hunk) => ({ ...hunk, lines: hunk.lines.map(restored) }))
  return unclear === undefined ? { ...file, hunks } : { unclear }
}

import { diffArrays } from 'diff'

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** JSON text with sorted keys and a final newline: equal values give equal bytes. */
export function canonicalJson(value: Json): string {
  return `${JSON.stringify(sorted(value), null, 2)}\n`
}

function sorted(value: Json): Json {
  if (isList(value)) return value.map(sorted)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sorted(value[key] as Json)]),
  )
}

const isList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value)

export interface JsonDifference {
  /** Dotted path of the value, e.g. `fragments.0.sha256`. */
  readonly path: string
  readonly before: Json | undefined
  readonly after: Json | undefined
}

/**
 * The leaves in which two values differ, in key order. Items of a list are compared with those they stand for, so
 * that one more in the middle is one difference; the number in its path is its place in the new list, in the old
 * one for an item that went.
 */
export function differences(
  before: Json | undefined,
  after: Json | undefined,
  path = '',
): readonly JsonDifference[] {
  if (isList(before) && isList(after)) return listDifferences(before, after, path)
  if (isObject(before) && isObject(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()
    return keys.flatMap((key) => differences(before[key], after[key], path ? `${path}.${key}` : key))
  }
  return JSON.stringify(before) === JSON.stringify(after) ? [] : [{ path, before, after }]
}

function listDifferences(
  before: readonly Json[],
  after: readonly Json[],
  path: string,
): readonly JsonDifference[] {
  const found: JsonDifference[] = []
  let [was, is, went] = [0, 0, 0]
  const compare = (came: number): void => {
    for (let at = 0; at < Math.max(went, came); at++) {
      const place = at < came ? is + at : was + at
      const pair = [at < went ? before[was + at] : undefined, at < came ? after[is + at] : undefined] as const
      found.push(...differences(...pair, path ? `${path}.${place}` : `${place}`))
    }
    was += went
    is += came
    went = 0
  }
  for (const { added, removed, count } of diffArrays(before.map(canonicalJson), after.map(canonicalJson))) {
    if (removed) {
      // What came in its place follows.
      went = count
      continue
    }
    compare(added ? count : 0)
    if (added) continue
    was += count
    is += count
  }
  compare(0)
  return found
}

const isObject = (value: Json | undefined): value is { readonly [key: string]: Json } =>
  value !== null && typeof value === 'object' && !isList(value)

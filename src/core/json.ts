export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** JSON text with sorted keys and a final newline: equal values give equal bytes. */
export function canonicalJson(value: Json): string {
  return `${JSON.stringify(sorted(value), null, 2)}\n`
}

function sorted(value: Json): Json {
  if (isArray(value)) return value.map(sorted)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sorted(value[key] as Json)]),
  )
}

const isArray = (value: Json): value is readonly Json[] => Array.isArray(value)

export interface JsonDifference {
  /** Dotted path of the value, e.g. `fragments.0.sha256`. */
  readonly path: string
  readonly before: Json | undefined
  readonly after: Json | undefined
}

/** The leaves in which two values differ, in key order. */
export function differences(
  before: Json | undefined,
  after: Json | undefined,
  path = '',
): readonly JsonDifference[] {
  if (isTree(before) && isTree(after) && isArray(before) === isArray(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()
    return keys.flatMap((key) =>
      differences(child(before, key), child(after, key), path ? `${path}.${key}` : key),
    )
  }
  return JSON.stringify(before) === JSON.stringify(after) ? [] : [{ path, before, after }]
}

type Tree = readonly Json[] | { readonly [key: string]: Json }

const isTree = (value: Json | undefined): value is Tree => value !== null && typeof value === 'object'

const child = (tree: Tree, key: string): Json | undefined => (tree as { readonly [key: string]: Json })[key]

import { isMap, isScalar, LineCounter, parseDocument, visit, type Document } from 'yaml'
import type { z } from 'zod'
import { messageOf, usageError } from '../errors.ts'
import { nearestNames } from '../kconfig/nearest.ts'
import { fileSchema, openwrtOptions, type FwbuildFile } from './options.ts'

const hint = 'docs/fwbuild.schema.json describes the file; editors can check it while you type'

/**
 * Reads fwbuild.yaml.
 * @throws usage error with file, line and column
 */
export function parseFwbuildFile(text: string, file: string): FwbuildFile {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines })
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset)
    return `${file}:${line}:${col}`
  }
  const broken = document.errors[0]
  if (broken !== undefined) {
    const message = broken.message.split(' at line ')[0] ?? broken.message
    throw usageError('E_FILE_SYNTAX', `${at(broken.pos[0])}: ${message}`, { hint })
  }
  const checked = fileSchema.safeParse(valueOf(document, at) ?? {})
  if (checked.success) return checked.data
  const messages = checked.error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map(
          (key) => `${at(offsetOfKey(document, issue.path, key))}: ${unknownKey(key, issue.path)}`,
        )
      : [`${at(offsetOf(document, issue.path))}: ${describe(issue)}`],
  )
  throw usageError('E_FILE_INVALID', messages.join('\n'), { hint })
}

/** Aliases are only resolved here: one without an anchor, or far too many, throw. */
function valueOf(document: Document, at: (offset: number) => string): unknown {
  try {
    return document.toJS()
  } catch (cause) {
    let offset = 0
    visit(document, {
      Alias: (_, alias) => {
        if (alias.resolve(document) !== undefined) return undefined
        offset = alias.range?.[0] ?? 0
        return visit.BREAK
      },
    })
    throw usageError('E_FILE_SYNTAX', `${at(offset)}: ${messageOf(cause)}`, { cause, hint })
  }
}

/** Where the value at a path stands, or the nearest above it that is in the file. */
function offsetOf(document: Document, path: readonly PropertyKey[]): number {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true) as { range?: readonly number[] } | undefined
    const offset = node?.range?.[0]
    if (offset !== undefined) return offset
  }
  return 0
}

function offsetOfKey(document: Document, path: readonly PropertyKey[], key: string): number {
  const map = path.length === 0 ? document.contents : document.getIn(path, true)
  const pair = isMap(map)
    ? map.items.find((item) => isScalar(item.key) && String(item.key.value) === key)
    : undefined
  return isScalar(pair?.key) ? (pair.key.range?.[0] ?? 0) : offsetOf(document, path)
}

function unknownKey(key: string, path: readonly PropertyKey[]): string {
  const atTop = path.length === 0
  if (atTop && key in openwrtOptions) return `unknown key ${key}; it belongs below openwrt:`
  const [nearest] = nearestNames(key, Object.keys(atTop ? fileSchema.shape : openwrtOptions))
  return `unknown key ${key}${nearest === undefined ? '' : `; was ${nearest} meant?`}`
}

function describe(issue: z.core.$ZodIssue): string {
  const where = issue.path.length === 0 ? '' : `${issue.path.join('.')}: `
  return `${where}${issue.message}`
}

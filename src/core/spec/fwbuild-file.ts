import { LineCounter, parseDocument, type Document } from 'yaml'
import type { z } from 'zod'
import { usageError } from '../errors.ts'
import { fileSchema, type FwbuildFile } from './options.ts'

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
  const checked = fileSchema.safeParse(document.toJS() ?? {})
  if (checked.success) return checked.data
  const messages = checked.error.issues.map((issue) => `${at(offsetOf(document, issue))}: ${describe(issue)}`)
  throw usageError('E_FILE_INVALID', messages.join('\n'), { hint })
}

function offsetOf(document: Document, issue: z.core.$ZodIssue): number {
  const unknown = issue.code === 'unrecognized_keys' ? issue.keys[0] : undefined
  const path = [...issue.path, ...(unknown === undefined ? [] : [unknown])]
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true) as { range?: readonly number[] } | undefined
    const offset = node?.range?.[0]
    if (offset !== undefined) return offset
  }
  return 0
}

function describe(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') return `unknown key ${issue.keys.join(', ')}`
  const where = issue.path.length === 0 ? '' : `${issue.path.join('.')}: `
  return `${where}${issue.message}`
}

import { buildError } from '../errors.ts'
import { displayText } from './lines.ts'

/** @param text the line or operand (binary string) that was to be dropped */
export const cannotDrop = (text: string, reason: string): Error =>
  buildError('E_PATCH_EDIT', `"${displayText(text).trim()}" cannot be dropped: ${reason}`, {
    hint: 'match other lines, or edit the patch by hand; nothing was written',
  })

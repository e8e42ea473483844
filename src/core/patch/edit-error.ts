import { FwbuildError } from '../errors.ts'
import { displayText } from './lines.ts'

/** An edit that is not possible (build E_PATCH_EDIT). */
export class CannotDrop extends FwbuildError {
  readonly text: string
  readonly reason: string
  /** Index of the line it is about, among the lines that were given to what throws this. */
  readonly line: number | undefined

  /** @param text the line or operand (binary string) that was to be dropped */
  constructor(text: string, reason: string, line?: number, place?: string) {
    const where = place === undefined ? '' : `${place}: `
    super('build', 'E_PATCH_EDIT', `${where}"${displayText(text).trim()}" cannot be dropped: ${reason}`, {
      hint: 'match other lines, or edit the patch by hand; nothing was written',
    })
    this.text = text
    this.reason = reason
    this.line = line
  }
}

/** @param line see `CannotDrop` */
export const cannotDrop = (text: string, reason: string, line?: number): CannotDrop =>
  new CannotDrop(text, reason, line)

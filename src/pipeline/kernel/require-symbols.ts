import { buildError } from '../../core/errors.ts'
import type { OverruledLine } from '../../core/kconfig/choice-order.ts'
import type { ConfigMismatch } from '../../core/kconfig/check.ts'
import { originText } from '../../core/kconfig/types.ts'
import type { StepTools } from '../run.ts'

/** Notes which lines another member of their choice beats, as a redefinition is noted. */
export function tellOverruled(overruled: readonly OverruledLine[], tools: StepTools): void {
  for (const { line, by } of overruled)
    tools.note(
      `${by.symbol}=${by.value} (${originText(by.origin)}) replaces ${line.symbol}=${line.value} (${originText(line.origin)}) of the same choice`,
    )
}

/**
 * Tells of every symbol that did not survive.
 * @param explain lines that say why a kernel symbol was dropped and what would make it hold
 * @throws build error with the list when a required one is among them
 */
export function requireAll(
  mismatches: readonly ConfigMismatch[],
  where: string,
  tools: StepTools,
  explain: (mismatch: ConfigMismatch) => readonly string[] = () => [],
): void {
  const describe = (mismatch: ConfigMismatch): string =>
    `${mismatch.symbol}: wanted ${mismatch.wanted} (${originText(mismatch.assignment.origin)}), ${mismatch.why}`
  const required = mismatches.filter((mismatch) => mismatch.assignment.need === 'required')
  for (const mismatch of mismatches) {
    if (mismatch.assignment.need === 'optional') tools.note(`optional ${describe(mismatch)}`)
  }
  if (required.length === 0) return
  const list = required.flatMap((mismatch) => [
    `  ${describe(mismatch)}`,
    ...explain(mismatch).map((line) => `    ${line}`),
  ])
  const what = required.length === 1 ? '1 required symbol is' : `${required.length} required symbols are`
  throw buildError('E_CONFIG_DROPPED', `${what} not in ${where}:\n${list.join('\n')}`, {
    hint: 'change the fragment that asks for it, or let a group say `#@ need: optional`',
  })
}

import type { Expr, KSymbol, Tristate } from './model.ts'

/** What choosing needs of an evaluation. */
export interface ChoiceState {
  /** Highest value a prompt allows, by KSymbol.id. */
  readonly visible: Uint8Array
  /** The chosen member, by the choice's id. */
  readonly chosen: Map<number, KSymbol | undefined>
  readonly userState: (symbol: KSymbol) => Tristate | undefined
  readonly isTrue: (expr: Expr | undefined) => boolean
  readonly updateVisibility: (symbol: KSymbol) => void
}

/**
 * Kernels before 6.11: the member the .config sets to `y` (the last one, if several), when it is
 * visible; else the default.
 * @param order members the .config names, the last one first
 */
export function chooseInSymbol(
  state: ChoiceState,
  choice: KSymbol,
  order: readonly KSymbol[],
): KSymbol | undefined {
  for (const member of choice.members) state.updateVisibility(member)
  const wanted = order.find((member) => member.choice === choice && state.userState(member) === 2)
  return wanted !== undefined && state.visible[wanted.id] !== 0 ? wanted : defaultMember(state, choice)
}

/**
 * Kernels from 6.11: the last visible member the .config sets to `y`; else the default unless the
 * .config says `n` to it; else the first visible member it does not mention; else the one it
 * turned off first.
 * @param order members the .config names, the last one first
 */
export function chooseInMenu(
  state: ChoiceState,
  choice: KSymbol,
  order: readonly KSymbol[],
): KSymbol | undefined {
  for (const member of choice.members) state.updateVisibility(member)
  const isVisible = (member: KSymbol): boolean => state.visible[member.id] !== 0
  const named = order.filter((member) => member.choice === choice && isVisible(member))
  const wanted = named.find((member) => state.userState(member) === 2)
  if (wanted !== undefined) return wanted
  const usual = defaultMember(state, choice)
  if (usual !== undefined && state.userState(usual) !== 0) return usual
  const open = choice.members.find((member) => isVisible(member) && state.userState(member) === undefined)
  return open ?? named.at(-1)
}

function defaultMember(state: ChoiceState, choice: KSymbol): KSymbol | undefined {
  const isVisible = (member: KSymbol): boolean => state.visible[member.id] !== 0
  for (const line of choice.defaults) {
    const member = line.value?.kind === 'symbol' ? line.value.symbol : undefined
    if (member !== undefined && state.isTrue(line.condition) && isVisible(member)) return member
  }
  return choice.members.find(isVisible)
}

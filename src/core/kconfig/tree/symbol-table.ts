import type { KSymbol, SymbolType } from './model.ts'

/** All symbols of a tree while it is read. */
export interface SymbolTable {
  /** The symbol of that name; `y`, `m` and `n` are constants. */
  readonly named: (name: string) => KSymbol
  /** A quoted constant. */
  readonly constant: (text: string) => KSymbol
  readonly choice: (name: string) => KSymbol
  readonly all: readonly KSymbol[]
  readonly byName: ReadonlyMap<string, KSymbol>
}

export function createSymbolTable(): SymbolTable {
  const all: KSymbol[] = []
  const byName = new Map<string, KSymbol>()
  const constants = new Map<string, KSymbol>()
  const choices = new Map<string, KSymbol>()

  function create(name: string, kind: KSymbol['kind'], type: SymbolType): KSymbol {
    const symbol: KSymbol = {
      id: all.length,
      name,
      kind,
      type,
      nodes: [],
      prompts: [],
      defaults: [],
      selects: [],
      implies: [],
      ranges: [],
      directDep: undefined,
      reverseDep: undefined,
      implied: undefined,
      selectedBy: [],
      impliedBy: [],
      choice: undefined,
      members: [],
      optional: false,
      transitional: false,
      internal: false,
    }
    all.push(symbol)
    return symbol
  }
  for (const name of ['n', 'm', 'y']) constants.set(name, create(name, 'constant', 'tristate'))

  function constant(text: string): KSymbol {
    const known = constants.get(text)
    if (known !== undefined) return known
    const symbol = create(text, 'constant', 'unknown')
    constants.set(text, symbol)
    return symbol
  }

  function named(name: string): KSymbol {
    if (name === 'y' || name === 'm' || name === 'n') return constant(name)
    const known = byName.get(name)
    if (known !== undefined) return known
    const symbol = create(name, 'symbol', 'unknown')
    byName.set(name, symbol)
    return symbol
  }

  function choice(name: string): KSymbol {
    const known = name === '' ? undefined : choices.get(name)
    if (known !== undefined) return known
    const symbol = create(name, 'choice', 'unknown')
    if (name !== '') choices.set(name, symbol)
    return symbol
  }

  return { named, constant, choice, all, byName }
}

import type { Origin } from '../types.ts'

/** n, m and y as numbers, so that `and` is min and `or` is max (the kernel's tristate algebra). */
export type Tristate = 0 | 1 | 2

export type SymbolType = 'unknown' | 'bool' | 'tristate' | 'int' | 'hex' | 'string'

export type CompareOperator = '=' | '!=' | '<' | '<=' | '>' | '>='

/** A Kconfig expression; undefined where the language means "always". */
export type Expr =
  | { readonly kind: 'symbol'; readonly symbol: KSymbol }
  | { readonly kind: 'not'; readonly inner: Expr }
  | { readonly kind: 'and' | 'or'; readonly left: Expr; readonly right: Expr }
  | {
      readonly kind: 'compare'
      readonly operator: CompareOperator
      readonly left: KSymbol
      readonly right: KSymbol
    }

/** A prompt, default, select, imply or range line; `condition` ends up with all that encloses it. */
export interface Property {
  readonly kind: 'prompt' | 'default' | 'select' | 'imply' | 'range'
  readonly node: MenuNode
  readonly origin: Origin
  /** Prompt text; empty for the other kinds. */
  readonly text: string
  /** Default value, or the selected or implied symbol. */
  readonly value: Expr | undefined
  readonly low: KSymbol | undefined
  readonly high: KSymbol | undefined
  /** The line's own `if`. */
  readonly ownCondition: Expr | undefined
  condition: Expr | undefined
}

/** A `depends on` or `visible if` line, or the condition of an `if` block. */
export interface Condition {
  readonly expr: Expr
  readonly origin: Origin
}

/** One entry of the menu tree, where it was written. */
export interface MenuNode {
  readonly kind: 'root' | 'config' | 'menuconfig' | 'choice' | 'menu' | 'if' | 'comment'
  readonly origin: Origin
  readonly parent: MenuNode | undefined
  readonly children: MenuNode[]
  readonly symbol: KSymbol | undefined
  prompt: string | undefined
  /** `depends on` lines as written. */
  readonly depends: Condition[]
  /** `visible if` lines as written (menus only). */
  readonly visibleIf: Condition[]
  /** Everything this entry depends on, those around it included. */
  dep: Expr | undefined
}

/** A symbol, a constant (`y`, `"text"`), or a choice as a whole. */
export interface KSymbol {
  readonly id: number
  /** Empty for an unnamed choice. */
  readonly name: string
  readonly kind: 'symbol' | 'constant' | 'choice'
  type: SymbolType
  readonly nodes: MenuNode[]
  readonly prompts: Property[]
  readonly defaults: Property[]
  readonly selects: Property[]
  readonly implies: Property[]
  readonly ranges: Property[]
  /** What its definitions depend on, or-ed. */
  directDep: Expr | undefined
  /** What selects it, or-ed. */
  reverseDep: Expr | undefined
  /** What implies it, or-ed. */
  implied: Expr | undefined
  /** The select and imply lines that name it. */
  readonly selectedBy: Property[]
  readonly impliedBy: Property[]
  /** For a member of a choice. */
  choice: KSymbol | undefined
  /** For a choice: its members in menu order. */
  readonly members: KSymbol[]
  /** For a choice that may have no member on (kernels before 6.10). */
  optional: boolean
  /** A former name that is only read from old .config files, never written (kernels from 6.18). */
  transitional: boolean
  /** conf keeps it out of .config: `option env` and `option defconfig_list` of kernels before 5.13. */
  internal: boolean
}

/**
 * How the tree's own conf treats choices and numbers. `symbol`: a choice is a symbol its members
 * depend on, and a number without value is empty (kernels to 6.10, BusyBox, OpenWrt).
 * `menu`: a choice is only a group, whose last assigned member wins, and a number without value is 0.
 */
export type ChoiceModel = 'symbol' | 'menu'

/** Where the confs of different trees compute differently. */
export interface TreeRules {
  readonly choiceModel: ChoiceModel
  /** `refused`: a select counts for nothing where its target's own dependencies are not met (OpenWrt). */
  readonly unmetSelects: 'taken' | 'refused'
}

/** A read and linked Kconfig tree. */
export interface KconfigTree extends TreeRules {
  readonly root: MenuNode
  /** Indexed by KSymbol.id. */
  readonly symbols: readonly KSymbol[]
  /** Named symbols, also those only referred to; no constants, no choices. */
  readonly byName: ReadonlyMap<string, KSymbol>
  readonly modules: KSymbol | undefined
  /** Files read, in order of first use. */
  readonly files: readonly string[]
  /** What the tree's warning-if and info macros said. */
  readonly messages: readonly string[]
}

/** Whether the tree defines the symbol (and does not only mention it). */
export const isDefined = (symbol: KSymbol): boolean => symbol.nodes.length > 0

/** Names of everything a tree defines. */
export const definedNames = (tree: KconfigTree): ReadonlySet<string> =>
  new Set([...tree.byName.values()].filter(isDefined).map((symbol) => symbol.name))

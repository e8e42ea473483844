import type { Origin } from '../types.ts'
import { symbolExpr } from '../tree/expr.ts'
import type { Expr, KconfigTree, MenuNode, Property } from '../tree/model.ts'

/** One condition and the line it was written on. */
export interface WrittenTerm {
  readonly expr: Expr
  readonly origin: Origin
}

/** Everything a prompt's visibility hangs on, one `&&` part each, nearest first. */
export function promptTerms(tree: KconfigTree, line: Property): readonly WrittenTerm[] {
  const terms: WrittenTerm[] = []
  if (line.ownCondition !== undefined) addParts(terms, line.ownCondition, line.origin)
  addNode(terms, tree, line.node)
  for (let around = line.node.parent; around !== undefined; around = around.parent)
    for (const condition of around.visibleIf) addParts(terms, condition.expr, condition.origin)
  return withoutRepeats(terms)
}

/** What must hold for a select, imply or default line to work. */
export function selectTerms(line: Property): readonly WrittenTerm[] {
  const terms: WrittenTerm[] = []
  if (line.kind === 'default') {
    if (line.value !== undefined) addParts(terms, line.value, line.origin)
  } else if (line.node.symbol !== undefined) addParts(terms, symbolExpr(line.node.symbol), line.origin)
  if (line.ownCondition !== undefined) addParts(terms, line.ownCondition, line.origin)
  if (line.kind === 'default')
    for (const condition of line.node.depends) addParts(terms, condition.expr, condition.origin)
  return withoutRepeats(terms)
}

/** What an entry and everything around it depend on. */
function addNode(terms: WrittenTerm[], tree: KconfigTree, node: MenuNode): void {
  for (const condition of node.depends) addParts(terms, condition.expr, condition.origin)
  const parent = node.parent
  if (parent === undefined) return
  // In the older model the choice, as a symbol, stands for all around it.
  if (parent.kind === 'choice' && parent.symbol !== undefined && tree.choiceModel === 'symbol') {
    addParts(terms, symbolExpr(parent.symbol), parent.origin)
    return
  }
  addNode(terms, tree, parent)
}

function addParts(terms: WrittenTerm[], expr: Expr, origin: Origin): void {
  if (expr.kind === 'and') {
    addParts(terms, expr.left, origin)
    addParts(terms, expr.right, origin)
  } else if (expr.kind !== 'symbol' || expr.symbol.kind !== 'constant' || expr.symbol.name !== 'y')
    terms.push({ expr, origin })
}

/** `if FOO` around `depends on FOO` says it once. */
function withoutRepeats(terms: readonly WrittenTerm[]): readonly WrittenTerm[] {
  const seen = new Set<unknown>()
  return terms.filter((term) => {
    const key = term.expr.kind === 'symbol' ? term.expr.symbol : term.expr
    if (seen.has(key)) return false
    seen.add(key)
    return true
  })
}

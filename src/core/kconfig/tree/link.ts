import { andExpr, orExpr, symbolExpr } from './expr.ts'
import { assertAcyclic } from './cycles.ts'
import type { Expr, KconfigTree, KSymbol, MenuNode, Property } from './model.ts'

/**
 * Hands the conditions of menus, `if` blocks and choices down to every line inside them, and
 * collects for each symbol what it depends on and what selects or implies it.
 * @throws usage error E_KCONFIG_CYCLE
 */
export function linkTree(tree: KconfigTree): KconfigTree {
  const modules = tree.modules === undefined ? constant(tree, 'n') : tree.modules
  const link: Link = {
    tree,
    modulesExpr: symbolExpr(modules),
    mod: constant(tree, 'm'),
    yes: constant(tree, 'y'),
  }
  linkChildren(link, tree.root, undefined, undefined)
  assertAcyclic(tree)
  return tree
}

interface Link {
  readonly tree: KconfigTree
  readonly modulesExpr: Expr
  readonly mod: KSymbol
  readonly yes: KSymbol
}

function constant(tree: KconfigTree, name: string): KSymbol {
  const symbol = tree.symbols.find((candidate) => candidate.kind === 'constant' && candidate.name === name)
  if (symbol === undefined) throw new Error(`constant ${name} is not in the symbol table`)
  return symbol
}

function linkChildren(
  link: Link,
  parent: MenuNode,
  parentDep: Expr | undefined,
  visibleIf: Expr | undefined,
): void {
  const choice = enclosingChoice(parent)
  if (parent.kind === 'choice' && choice !== undefined) settleChoiceTypes(choice, parent)
  for (const node of parent.children) {
    const own = node.depends.reduce<Expr | undefined>(
      (all, line) => andExpr(all, withModules(link, line.expr)),
      undefined,
    )
    node.dep = andExpr(parentDep, own)
    if (choice !== undefined && node.symbol?.kind === 'symbol' && node.prompt !== undefined)
      joinChoice(link, choice, node.symbol, node)
    if (node.symbol !== undefined) linkSymbol(link, node, node.symbol, visibleIf)
    linkChildren(link, node, depForChildren(link, node), andExpr(visibleIf, visibility(link, node)))
  }
}

/** The choice around an entry, also through `if` blocks. */
function enclosingChoice(node: MenuNode): KSymbol | undefined {
  let at: MenuNode | undefined = node
  while (at?.kind === 'if') at = at.parent
  return at?.kind === 'choice' ? at.symbol : undefined
}

/** Members of a choice depend on the choice as a symbol, in the older model. */
function depForChildren(link: Link, node: MenuNode): Expr | undefined {
  if (node.kind === 'choice' && node.symbol !== undefined && link.tree.choiceModel === 'symbol')
    return symbolExpr(node.symbol)
  return node.dep
}

const visibility = (link: Link, node: MenuNode): Expr | undefined =>
  node.visibleIf.reduce<Expr | undefined>(
    (all, line) => andExpr(all, withModules(link, line.expr)),
    undefined,
  )

/** `m` in a condition means `m && MODULES`. */
function withModules(link: Link, expr: Expr): Expr {
  switch (expr.kind) {
    case 'symbol':
      return expr.symbol === link.mod ? { kind: 'and', left: expr, right: link.modulesExpr } : expr
    case 'not':
      return { kind: 'not', inner: withModules(link, expr.inner) }
    case 'and':
    case 'or':
      return { kind: expr.kind, left: withModules(link, expr.left), right: withModules(link, expr.right) }
    case 'compare':
      return expr
  }
}

function linkSymbol(link: Link, node: MenuNode, symbol: KSymbol, visibleIf: Expr | undefined): void {
  symbol.directDep = orExpr(symbol.directDep, node.dep)
  for (const line of linesOf(node, symbol)) {
    const own = line.ownCondition === undefined ? undefined : withModules(link, line.ownCondition)
    line.condition = andExpr(node.dep, line.kind === 'prompt' ? andExpr(own, visibleIf) : own)
    if (line.kind === 'select' || line.kind === 'imply') linkSelect(line, symbol)
    // A choice that is not optional is at least `m` where it is visible.
    if (line.kind === 'prompt' && symbol.kind === 'choice' && !symbol.optional)
      symbol.reverseDep = orExpr(symbol.reverseDep, andExpr(line.condition, symbolExpr(link.mod)))
  }
}

/** The property lines written at this entry, in the order conf would meet them per kind. */
function linesOf(node: MenuNode, symbol: KSymbol): readonly Property[] {
  if (symbol.nodes.length === 1)
    return [...symbol.prompts, ...symbol.defaults, ...symbol.selects, ...symbol.implies, ...symbol.ranges]
  return [
    ...symbol.prompts,
    ...symbol.defaults,
    ...symbol.selects,
    ...symbol.implies,
    ...symbol.ranges,
  ].filter((line) => line.node === node)
}

function linkSelect(line: Property, selector: KSymbol): void {
  if (line.value?.kind !== 'symbol') return
  const target = line.value.symbol
  const when = andExpr(symbolExpr(selector), line.condition)
  if (line.kind === 'select') {
    target.reverseDep = orExpr(target.reverseDep, when)
    target.selectedBy.push(line)
  } else {
    target.implied = orExpr(target.implied, when)
    target.impliedBy.push(line)
  }
}

/** A choice without type takes that of its first member, and members without type that of the choice. */
function settleChoiceTypes(choice: KSymbol, node: MenuNode): void {
  const members = node.children.map((child) => child.symbol).filter((symbol) => symbol !== undefined)
  if (choice.type === 'unknown')
    choice.type = members.find((member) => member.type !== 'unknown')?.type ?? 'bool'
  for (const member of members) if (member.type === 'unknown') member.type = choice.type
}

function joinChoice(link: Link, choice: KSymbol, member: KSymbol, node: MenuNode): void {
  if (member.choice === undefined) {
    member.choice = choice
    choice.members.push(member)
  }
  if (link.tree.choiceModel === 'symbol' && choice.type === 'tristate' && member.type !== 'tristate')
    node.dep = andExpr({ kind: 'compare', operator: '=', left: choice, right: link.yes }, node.dep)
}

import { usageError } from '../../errors.ts'
import { nearestNames } from '../nearest.ts'
import { originText, type Origin } from '../types.ts'
import { createLexer, type Lexer, type Statement } from './lexer.ts'
import { createMacros, type MacroHost, type Macros } from './macro.ts'
import type { KconfigTree, KSymbol, MenuNode, TreeRules } from './model.ts'
import { linkTree } from './link.ts'
import { expandEnvSymbols, readOption, type OptionContext } from './options.ts'
import { createSymbolTable, type SymbolTable } from './symbol-table.ts'
import { createTokenReader, type TokenReader } from './token-reader.ts'

/** What reading a tree needs from outside. */
export interface KconfigHost extends MacroHost {
  /** The text of a file, relative to the tree; undefined when it does not exist. */
  readonly readFile: (path: string) => string | undefined
  /** Files that match a pattern with `*`, `?` or `[…]`, sorted. */
  readonly glob: (pattern: string) => readonly string[]
}

interface Reading {
  readonly host: KconfigHost
  readonly macros: Macros
  readonly symbols: SymbolTable
  readonly options: OptionContext
  readonly files: string[]
  /** Files being read, outermost first, each with the place of its source line. */
  readonly including: { readonly file: string; readonly from: Origin | undefined }[]
  /** Open blocks, outermost first. */
  readonly blocks: MenuNode[]
  readonly root: MenuNode
  /** The file looked at last: whether it is there is asked right before it is read. */
  peeked: { readonly path: string; readonly text: string | undefined } | undefined
}

const entryWords = ['config', 'menuconfig', 'choice', 'menu', 'if', 'comment', 'mainmenu'] as const
const endWords = { endchoice: 'choice', endmenu: 'menu', endif: 'if' } as const
const sourceWords = ['source', 'osource', 'rsource', 'orsource'] as const
const maxIncludeDepth = 200

/**
 * Reads a Kconfig tree from its top file. The language is the one of
 * Documentation/kbuild/kconfig-language.rst, with `osource`, `rsource` and the `option` lines of
 * kernels before 4.18.
 * @throws usage errors E_KCONFIG_… with file and line
 */
export function readKconfigTree(
  top: string,
  host: KconfigHost,
  choiceModel: TreeRules['choiceModel'],
  unmetSelects: TreeRules['unmetSelects'] = 'taken',
): KconfigTree {
  const macros = createMacros(host)
  const symbols = createSymbolTable()
  const root: MenuNode = newNode('root', { file: top, line: 1 }, undefined, undefined)
  const options: OptionContext = { symbols, env: host.env, modules: undefined, envSymbols: new Map() }
  const reading: Reading = {
    host,
    macros,
    symbols,
    options,
    files: [],
    including: [],
    blocks: [root],
    root,
    peeked: undefined,
  }
  readSource(reading, top, undefined)
  return linkTree({
    root,
    symbols: symbols.all,
    byName: symbols.byName,
    modules: options.modules,
    choiceModel,
    unmetSelects,
    files: reading.files,
    messages: macros.messages,
  })
}

function newNode(
  kind: MenuNode['kind'],
  origin: Origin,
  parent: MenuNode | undefined,
  symbol: KSymbol | undefined,
): MenuNode {
  const node: MenuNode = {
    kind,
    origin,
    parent,
    children: [],
    symbol,
    prompt: undefined,
    depends: [],
    visibleIf: [],
    dep: undefined,
  }
  parent?.children.push(node)
  symbol?.nodes.push(node)
  return node
}

function readSource(reading: Reading, file: string, from: Origin | undefined): void {
  const text = textOf(reading, file)
  if (text === undefined) throw missingFile(file, from)
  const loop = reading.including.some((entry) => entry.file === file)
  reading.including.push({ file, from })
  if (loop || reading.including.length > maxIncludeDepth) throw recursiveSource(reading)
  reading.files.push(file)
  const depth = reading.blocks.length
  readStatements(reading, createLexer(text, file, reading.macros))
  const open = reading.blocks.at(-1)
  if (reading.blocks.length > depth && open !== undefined)
    throw usageError(
      'E_KCONFIG_SYNTAX',
      `${originText(open.origin)}: this '${open.kind}' has no 'end${open.kind}'`,
    )
  reading.including.pop()
}

const missingFile = (file: string, from: Origin | undefined) =>
  from === undefined
    ? usageError('E_KCONFIG_MISSING', `${file}: no such Kconfig file`, {
        hint: 'Is this the top of a kernel tree?',
      })
    : usageError('E_KCONFIG_MISSING', `${originText(from)}: cannot read "${file}"`, {
        hint: 'The tree is incomplete, or its ARCH is another.',
      })

function recursiveSource(reading: Reading) {
  const chain = reading.including
    .filter((entry) => entry.from !== undefined)
    .slice(-12)
    .map((entry) => `${entry.from === undefined ? '' : originText(entry.from)} sources ${entry.file}`)
  const last = reading.including.at(-1)
  return usageError(
    'E_KCONFIG_RECURSION',
    `${last?.from === undefined ? '' : originText(last.from)}: recursive source of "${last?.file}"`,
    { hint: chain.join('\n') },
  )
}

function readStatements(reading: Reading, lexer: Lexer): void {
  /** The entry that option lines belong to. */
  let entry: MenuNode | undefined
  for (let statement = lexer.next(); statement !== undefined; statement = lexer.next()) {
    if (statement.kind === 'assign') {
      reading.macros.assign(statement.name, statement.operator, statement.value, {
        file: lexer.file,
        line: statement.line,
      })
      continue
    }
    entry = readStatement(reading, lexer, statement, entry)
  }
}

function readStatement(
  reading: Reading,
  lexer: Lexer,
  statement: Extract<Statement, { kind: 'tokens' }>,
  entry: MenuNode | undefined,
): MenuNode | undefined {
  const origin = { file: lexer.file, line: statement.line }
  const tokens = createTokenReader(statement.tokens, origin, reading.symbols)
  const keyword = tokens.word('a statement')
  const entryWord = entryWords.find((word) => word === keyword)
  if (entryWord !== undefined) return openEntry(reading, entryWord, tokens)
  if (Object.hasOwn(endWords, keyword)) {
    closeBlock(reading, keyword as keyof typeof endWords, tokens)
    return undefined
  }
  const sourceWord = sourceWords.find((word) => word === keyword)
  if (sourceWord !== undefined) {
    readSourceStatement(reading, sourceWord, tokens)
    return undefined
  }
  if (keyword === 'help' || keyword === '---help---') {
    lexer.skipHelp()
    return entry
  }
  if (entry === undefined || !readOption(keyword, entry, tokens, reading.options))
    throw unknownStatement(keyword, origin, entry)
  return entry
}

function openEntry(
  reading: Reading,
  word: (typeof entryWords)[number],
  tokens: TokenReader,
): MenuNode | undefined {
  const parent = reading.blocks.at(-1) ?? reading.root
  switch (word) {
    case 'mainmenu':
      reading.root.prompt = tokens.text('a title')
      return undefined
    case 'config':
    case 'menuconfig': {
      const symbol = reading.symbols.named(tokens.word('a symbol name'))
      tokens.end()
      return newNode(word, tokens.origin, parent, symbol)
    }
    case 'choice': {
      const name = tokens.more() ? tokens.word('a name') : ''
      const node = newNode('choice', tokens.origin, parent, reading.symbols.choice(name))
      reading.blocks.push(node)
      return node
    }
    case 'menu':
    case 'comment': {
      const node = newNode(word, tokens.origin, parent, undefined)
      node.prompt = tokens.text('a title in quotes')
      // A comment's `if` only hides it in menus.
      tokens.optionalIf()
      tokens.end()
      if (word === 'menu') reading.blocks.push(node)
      return node
    }
    case 'if': {
      const node = newNode('if', tokens.origin, parent, undefined)
      node.depends.push({ expr: tokens.expr(), origin: tokens.origin })
      tokens.end()
      reading.blocks.push(node)
      return undefined
    }
  }
}

function closeBlock(reading: Reading, word: keyof typeof endWords, tokens: TokenReader): void {
  const open = reading.blocks.at(-1)
  if (open?.kind !== endWords[word])
    throw usageError(
      'E_KCONFIG_SYNTAX',
      `${originText(tokens.origin)}: '${word}' without '${endWords[word]}'`,
      open === undefined || open.kind === 'root'
        ? {}
        : { hint: `The open block is the '${open.kind}' of ${originText(open.origin)}.` },
    )
  if (open.origin.file !== tokens.origin.file)
    throw usageError(
      'E_KCONFIG_SYNTAX',
      `${originText(tokens.origin)}: '${word}' ends the '${open.kind}' of another file, ${originText(open.origin)}`,
    )
  reading.blocks.pop()
}

function readSourceStatement(
  reading: Reading,
  word: (typeof sourceWords)[number],
  tokens: TokenReader,
): void {
  const written = tokens.optionalText() ?? tokens.word('a file name')
  tokens.end()
  const named = expandEnvSymbols(written, reading.options)
  const beside = `${tokens.origin.file.slice(0, tokens.origin.file.lastIndexOf('/') + 1)}${named}`
  const isRelative = word === 'rsource' || word === 'orsource'
  const isOptional = word === 'osource' || word === 'orsource'
  // OpenWrt looks beside the sourcing file too, after the top of the tree.
  const found = isRelative ? matches(reading, beside) : (matches(reading, named) ?? matches(reading, beside))
  // A pattern may match nothing.
  if (found === undefined && !isOptional && !isPattern(named))
    throw missingFile(isRelative ? beside : named, tokens.origin)
  for (const file of found ?? []) readSource(reading, file, tokens.origin)
}

const isPattern = (path: string): boolean => /[*?[]/.test(path)

function textOf(reading: Reading, path: string): string | undefined {
  if (reading.peeked?.path !== path) reading.peeked = { path, text: reading.host.readFile(path) }
  return reading.peeked.text
}

/** The files a `source` line names; undefined when there are none. */
function matches(reading: Reading, path: string): readonly string[] | undefined {
  if (!isPattern(path)) return textOf(reading, path) === undefined ? undefined : [path]
  const files = reading.host.glob(path)
  return files.length === 0 ? undefined : files
}

function unknownStatement(keyword: string, origin: Origin, entry: MenuNode | undefined) {
  const known = [
    ...entryWords,
    ...Object.keys(endWords),
    ...sourceWords,
    'help',
    'depends',
    'default',
    'select',
  ]
  const [nearest] = nearestNames(
    keyword,
    [...known, 'bool', 'tristate', 'prompt', 'string', 'range', 'imply'],
    1,
  )
  const where = entry === undefined ? '' : ` in the '${entry.kind}' of line ${entry.origin.line}`
  return usageError(
    'E_KCONFIG_TOKEN',
    `${originText(origin)}: unknown statement '${keyword}'${where}`,
    nearest === undefined ? {} : { hint: `Did you mean '${nearest}'?` },
  )
}

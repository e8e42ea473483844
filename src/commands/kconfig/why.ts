import { resolve } from 'node:path'
import { buildError, usageError } from '../../core/errors.ts'
import { explain } from '../../core/kconfig/why/explain.ts'
import { findFix, type Wish } from '../../core/kconfig/why/fix.ts'
import { explanationText, fixText } from '../../core/kconfig/why/text.ts'
import { readKernelTree } from '../../effects/kconfig-tree.ts'
import type { Io } from '../io.ts'
import { readConfigFile } from './files.ts'

interface WhyOptions {
  readonly tree: string
  readonly config: string
  readonly fix?: boolean
  readonly json?: boolean
}

/** `fwbuild kconfig why SYMBOL[=VALUE]`. With --fix, exit 1 when no lines make it hold. */
export async function whyCommand(asked: string, options: WhyOptions, io: Io): Promise<void> {
  const wish = parseWish(asked)
  const { config } = await readConfigFile(options.config, io)
  const tree = readKernelTree(resolve(io.cwd, options.tree))
  const explanation = explain(tree, config, wish)
  const fix = options.fix === true ? findFix(tree, config, [wish]) : undefined
  if (options.json === true) {
    const found = fix === undefined ? null : { lines: Object.fromEntries(fix.lines), lost: fix.lost }
    io.stdout(
      `${JSON.stringify({ version: 1, explanation, ...(options.fix === true ? { fix: found } : {}) }, null, 2)}\n`,
    )
  } else if (fix === undefined) io.stdout(explanationText(explanation))
  else {
    io.stderr(explanationText(explanation))
    io.stdout(Buffer.from(fixText(fix, [`makes ${wish.symbol}=${wish.value} hold in ${options.config}`])))
  }
  if (options.fix !== true || fix !== undefined) return
  throw buildError(
    'E_KCONFIG_NO_FIX',
    explanation.verdict === 'impossible' || explanation.verdict === 'undefined'
      ? `${wish.symbol}=${wish.value} cannot hold here: ${explanation.reason}`
      : `no lines were found that make ${wish.symbol}=${wish.value} hold`,
  )
}

function parseWish(asked: string): Wish {
  const match = /^(?:CONFIG_)?([\w.+-]+)(?:=(.+))?$/.exec(asked)
  if (match?.[1] === undefined)
    throw usageError('E_KCONFIG_SYMBOL', `'${asked}' is no symbol`, {
      hint: 'Expected PCI_HYPERV or PCI_HYPERV=m.',
    })
  return { symbol: match[1], value: match[2] ?? 'y' }
}

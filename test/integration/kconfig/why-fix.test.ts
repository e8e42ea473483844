import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { configLine, parseDotConfig } from '../../../src/core/kconfig/dot-config.ts'
import { evaluate } from '../../../src/core/kconfig/tree/evaluate.ts'
import { explain } from '../../../src/core/kconfig/why/explain.ts'
import { findFix } from '../../../src/core/kconfig/why/fix.ts'
import { readKernelTree } from '../../../src/effects/kconfig-tree.ts'
import { runConf, testWithKernelTrees } from '../../helpers/kernel-tree.ts'
import { seededRandom } from '../../helpers/random.ts'

/** How many symbols to try. */
const count = Number(process.env['FWBUILD_KCONFIG_WHY'] ?? '6')

testWithKernelTrees('what why --fix prints makes random symbols hold, says conf', async (t, tree) => {
  const kconfig = readKernelTree(tree.directory)
  const folder = await mkdtemp(join(tmpdir(), 'fwbuild-why-'))
  const file = (name: string): string => join(folder, name)
  const read = async (name: string) => parseDotConfig(await readFile(file(name), 'utf8'), name)
  try {
    await copyFile(join(tree.directory, 'arch/x86/configs/x86_64_defconfig'), file('base'))
    runConf(tree, '--olddefconfig', file('base'))
    runConf(tree, '--allyesconfig', file('allyes'))
    runConf(tree, '--allmodconfig', file('allmod'))
    const base = await read('base')
    const everything = [(await read('allyes')).values, (await read('allmod')).values]
    const before = evaluate(kconfig, base)
    const candidates = [...kconfig.byName.values()].filter(
      (symbol) =>
        symbol.nodes.length > 0 &&
        (symbol.type === 'bool' || symbol.type === 'tristate') &&
        before.state(symbol) === 0 &&
        before.visibility(symbol) === 0,
    )
    const random = seededRandom(Number(process.env['FWBUILD_KCONFIG_SEED'] ?? '50'))
    let fixed = 0
    for (let index = 0; index < count; index += 1) {
      const symbol = candidates[Math.floor(random() * candidates.length)]
      if (symbol === undefined) continue
      const wish = { symbol: symbol.name, value: 'y' }
      const fix = findFix(kconfig, base, [wish])
      const explanation = explain(kconfig, base, wish)
      if (fix === undefined) {
        t.is(explanation.verdict, 'impossible', `${symbol.name} has neither a fix nor a reason`)
        // Said to be impossible: then conf does not reach it with everything on either.
        for (const values of everything) t.not(values.get(symbol.name), 'y', symbol.name)
        continue
      }
      fixed += 1
      const lines = [...base.values].filter(([name]) => !fix.lines.has(name))
      const text = [...lines, ...fix.lines].map(([name, value]) => configLine(name, value)).join('\n')
      await writeFile(file('fixed'), `${text}\n`)
      runConf(tree, '--olddefconfig', file('fixed'))
      const after = (await read('fixed')).values
      t.is(after.get(symbol.name), 'y', `${symbol.name} with ${[...fix.lines].join(' ')}`)
      t.true(explanation.terms.length > 0, `${symbol.name} has no terms`)
    }
    t.log(
      `${fixed} of ${count} fixed, ${count - fixed} impossible, of ${candidates.length} that cannot be set as is`,
    )
    t.true(fixed > 0)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

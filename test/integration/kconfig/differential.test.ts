import { mkdtemp, readFile, rm, writeFile, copyFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { configLine, parseDotConfig } from '../../../src/core/kconfig/dot-config.ts'
import { evaluate } from '../../../src/core/kconfig/tree/evaluate.ts'
import type { KconfigTree } from '../../../src/core/kconfig/tree/model.ts'
import { readKernelTree } from '../../../src/effects/kconfig-tree.ts'
import { runConf, testWithKernelTrees, type KernelTree } from '../../helpers/kernel-tree.ts'
import { seededRandom } from '../../helpers/random.ts'

/** How many random configurations to try, and how many lines a mutated one has changed. */
const randomCount = Number(process.env['FWBUILD_KCONFIG_RANDOM'] ?? '4')
const mutations = 400

/** Compares every line conf writes for an input, `is not set` lines too, with ours. */
async function compareWithConf(
  t: ExecutionContext,
  tree: KernelTree,
  kconfig: KconfigTree,
  input: string,
  what: string,
): Promise<void> {
  const output = `${input}.olddefconfig`
  await copyFile(input, output)
  runConf(tree, '--olddefconfig', output)
  const expected = parseDotConfig(await readFile(output, 'utf8'), output).values
  const ours = evaluate(kconfig, parseDotConfig(await readFile(input, 'utf8'), input)).values
  const differences = [...new Set([...expected.keys(), ...ours.keys()])]
    .filter((name) => expected.get(name) !== ours.get(name))
    .map((name) => `${name}: conf ${expected.get(name) ?? 'absent'}, ours ${ours.get(name) ?? 'absent'}`)
  t.deepEqual(differences.slice(0, 20), [], `${what}: ${differences.length} of ${expected.size} differ`)
  t.true(expected.size > 300, `${what} has only ${expected.size} symbols`)
}

/** Changes random lines of a configuration to values conf may have to refuse. */
async function mutate(kconfig: KconfigTree, file: string, seed: number): Promise<void> {
  const random = seededRandom(seed)
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
  const values = new Map(parseDotConfig(await readFile(file, 'utf8'), file).values)
  const names = [...kconfig.byName.values()].filter((symbol) => symbol.nodes.length > 0)
  for (let index = 0; index < mutations; index += 1) {
    const symbol = pick(names)
    const choices: Readonly<Record<string, readonly string[]>> = {
      bool: ['y', 'n', 'm'],
      tristate: ['y', 'm', 'n'],
      int: ['0', '1', '64', '100000', '-1'],
      hex: ['0x0', '0x1000', '0xffffffff'],
      string: ['""', '"text"', '"a \\"b\\""'],
    }
    if (random() < 0.2) values.delete(symbol.name)
    else values.set(symbol.name, pick(choices[symbol.type] ?? ['y']))
  }
  await writeFile(file, [...values].map(([name, value]) => configLine(name, value)).join('\n') + '\n')
}

testWithKernelTrees('our values equal conf --olddefconfig for every symbol', async (t, tree) => {
  const kconfig = readKernelTree(tree.directory)
  const folder = await mkdtemp(join(tmpdir(), 'fwbuild-kconfig-'))
  try {
    const input = join(folder, 'config')
    for (const mode of ['--alldefconfig', '--allnoconfig', '--allmodconfig', '--allyesconfig']) {
      runConf(tree, mode, input)
      await compareWithConf(t, tree, kconfig, input, mode)
    }
    const defconfig = join(tree.directory, 'arch/x86/configs/x86_64_defconfig')
    await copyFile(defconfig, input)
    await compareWithConf(t, tree, kconfig, input, 'defconfig')
    for (const extra of (process.env['FWBUILD_KERNEL_CONFIGS'] ?? '')
      .split(':')
      .filter((name) => name !== '')) {
      await copyFile(extra, input)
      await compareWithConf(t, tree, kconfig, input, extra)
    }
    for (let seed = 1; seed <= randomCount; seed += 1) {
      runConf(tree, '--randconfig', input, { KCONFIG_SEED: String(seed) })
      await compareWithConf(t, tree, kconfig, input, `randconfig seed ${seed}`)
      await mutate(kconfig, input, seed)
      await compareWithConf(t, tree, kconfig, input, `mutated seed ${seed}`)
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

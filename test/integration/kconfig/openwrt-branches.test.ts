import { spawnSync } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { parseDotConfig } from '../../../src/core/kconfig/dot-config.ts'
import { parseFragment } from '../../../src/core/kconfig/fragment.ts'
import { mergeFragments } from '../../../src/core/kconfig/merge.ts'
import { selectForKernel } from '../../../src/core/kconfig/select.ts'
import { parseSeries, seriesText } from '../../../src/core/kconfig/series.ts'
import { evaluate } from '../../../src/core/kconfig/tree/evaluate.ts'
import type { KconfigTree } from '../../../src/core/kconfig/tree/model.ts'
import { unanswered } from '../../../src/core/kconfig/unanswered.ts'
import type { Assignment } from '../../../src/core/kconfig/types.ts'
import { explain } from '../../../src/core/kconfig/why/explain.ts'
import { holds } from '../../../src/core/kconfig/why/fix.ts'
import { kernelVersion, readKernelTree } from '../../../src/effects/kconfig-tree.ts'

/** A bare clone with every release branch. */
const repository = process.env['FWBUILD_OPENWRT_GIT'] ?? ''
const kernelTrees = (process.env['FWBUILD_KERNEL_TREE'] ?? '').split(':').filter((name) => name !== '')
const branches: readonly (readonly [string, string])[] = [
  ['lede-17.01', '4.4'],
  ['openwrt-18.06', '4.14'],
  ['openwrt-19.07', '4.14'],
  ['openwrt-21.02', '5.4'],
  ['openwrt-22.03', '5.10'],
  ['openwrt-23.05', '5.15'],
  ['openwrt-24.10', '6.6'],
  ['openwrt-25.12', '6.12'],
  ['main', '6.18'],
]

/**
 * Wanted symbols that OpenWrt's refreshed configurations never list, because they have no prompt
 * there or are dropped as implied by the kernel's defaults.
 */
const unlisted: Readonly<Record<string, string>> = {
  NET_9P_VIRTIO: 'hidden below NET_9P',
}

const git = (...args: readonly string[]): string =>
  spawnSync('git', ['-C', repository, ...args], { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 }).stdout

/** generic, x86 and x86/64, the last one winning, as the kernel build stacks them. */
function stackOf(branch: string, series: string): ReadonlyMap<string, string> {
  const files = [`target/linux/generic/config-${series}`, `target/linux/x86/config-${series}`]
  const sub = git('ls-tree', '--name-only', branch, 'target/linux/x86/64/').split('\n')
  const last = sub.find((name) => name.endsWith(`/config-${series}`)) ?? 'target/linux/x86/64/config-default'
  const values = new Map<string, string>()
  for (const file of [...files, last])
    for (const [symbol, value] of parseDotConfig(git('show', `${branch}:${file}`), `${branch}:${file}`)
      .values)
      values.set(symbol, value)
  return values
}

async function wantedFor(kernel: string): Promise<readonly Assignment[]> {
  const layers: { assignments: readonly Assignment[]; literal: boolean }[] = []
  for (const folder of ['hv', 'share'])
    for (const name of (await readdir(join('kconfig-fragments', folder))).sort()) {
      const file = join('kconfig-fragments', folder, name)
      const fragment = parseFragment(await readFile(file, 'utf8'), file)
      layers.push({ assignments: selectForKernel(fragment, kernel).assignments, literal: false })
    }
  return mergeFragments(layers).assignments
}

function checkInTree(
  t: ExecutionContext,
  tree: KconfigTree,
  stack: ReadonlyMap<string, string>,
  wanted: readonly Assignment[],
  sameSeries: boolean,
): void {
  const values = new Map([...stack, ...wanted.map((line) => [line.symbol, line.value] as const)])
  const before = new Set(unanswered(evaluate(tree, { values: stack })))
  const config = evaluate(tree, { values })
  const questions = unanswered(config).filter((name) => !before.has(name))
  if (sameSeries) t.deepEqual(questions, [], 'the fragments open questions they do not answer')
  else if (questions.length > 0) t.log(`other series, opens: ${questions.join(' ')}`)
  for (const line of wanted) {
    const wish = { symbol: line.symbol, value: line.value }
    if (holds(config, wish)) continue
    const explanation = explain(tree, { values }, wish)
    t.log(`${line.need} ${line.symbol}=${line.value}: ${explanation.verdict}: ${explanation.reason}`)
    if (sameSeries) t.is(line.need, 'optional', `${line.symbol}: ${explanation.reason}`)
  }
}

for (const [branch, series] of branches) {
  if (repository === '') {
    test.skip(`fragments on ${branch} (needs FWBUILD_OPENWRT_GIT)`, () => {})
    continue
  }
  test.serial(`fragments on ${branch}, kernel ${series}`, async (t) => {
    t.timeout(600_000)
    const stack = stackOf(branch, series)
    const wanted = await wantedFor(series)
    t.true(stack.size > 4000)
    const unknown = wanted.filter((line) => !stack.has(line.symbol) && line.value !== 'n')
    for (const line of unknown) {
      const why = unlisted[line.symbol] ?? 'not in the branch’s configuration files'
      t.log(`${line.need} ${line.symbol}=${line.value}: ${why}`)
    }
    const unexplained = unknown.filter(
      (line) => line.need === 'required' && unlisted[line.symbol] === undefined,
    )
    t.deepEqual(
      unexplained.map((line) => line.symbol),
      [],
    )
    for (const directory of kernelTrees) {
      const version = parseSeries(kernelVersion(resolve(directory)) ?? '')
      if (version === undefined) continue
      const sameSeries = seriesText(version) === series
      if (!sameSeries && process.env['FWBUILD_OTHER_SERIES'] !== '1') continue
      t.log(`evaluated in the Kconfig files of ${seriesText(version)}`)
      checkInTree(t, readKernelTree(resolve(directory)), stack, wanted, sameSeries)
    }
  })
}

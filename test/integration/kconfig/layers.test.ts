import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import type { ExecutionContext } from 'ava'
import { parseDotConfig } from '../../../src/core/kconfig/dot-config.ts'
import type { KconfigTree } from '../../../src/core/kconfig/tree/model.ts'
import { readKernelTree } from '../../../src/effects/kconfig-tree.ts'
import { cli } from '../../helpers/cli.ts'
import { fixtureTree } from '../../helpers/kconfig.ts'
import { runConf, testWithKernelTrees, type KernelTree } from '../../helpers/kernel-tree.ts'
import { randomLayers } from '../../helpers/layers.ts'

/** How many random pairs of fragments to try; one takes some ten seconds. */
const pairs = Number(process.env['FWBUILD_KCONFIG_PAIRS'] ?? '3')
const fixture = 'test/fixtures/kconfig-layers'
const recorded = 120

/** What the kernel's own merge_config.sh and conf make of a base and fragments. */
async function mergedByKernel(tree: KernelTree, folder: string, files: readonly string[]): Promise<string> {
  const script = join(tree.directory, 'scripts/kconfig/merge_config.sh')
  const run = spawnSync('sh', [script, '-m', '-O', folder, ...files], { cwd: folder, encoding: 'utf8' })
  if (run.status !== 0) throw new Error(`merge_config.sh ended ${run.status}: ${run.stderr}`)
  runConf(tree, '--olddefconfig', join(folder, '.config'))
  return readFile(join(folder, '.config'), 'utf8')
}

const assignmentLines = (text: string): readonly string[] =>
  text.split('\n').filter((line) => /^(?:CONFIG_|# CONFIG_\S+ is not set$)/.test(line))

async function compareMerge(
  t: ExecutionContext,
  tree: KernelTree,
  folder: string,
  files: readonly string[],
  what: string,
): Promise<void> {
  const theirs = assignmentLines(await mergedByKernel(tree, folder, files))
  const output = join(folder, 'ours')
  const arguments_ = ['kconfig', 'merge', ...files, '--tree', tree.directory, '-o', output]
  const run = await cli(arguments_, { cwd: folder })
  // Random lines may ask for what cannot be: the result is written all the same.
  t.true(run.exitCode === 0 || run.stderr.includes('E_KCONFIG_DROPPED'), `${what}: ${run.stderr}`)
  t.deepEqual(assignmentLines(await readFile(output, 'utf8')), theirs, what)
}

async function withFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'fwbuild-layers-'))
  try {
    await body(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function writeLayers(kconfig: KconfigTree, folder: string, seed: number): Promise<readonly string[]> {
  const files = randomLayers(kconfig, seed).map((text, index) => ({
    text,
    file: join(folder, `layer${index}`),
  }))
  for (const { file, text } of files) await writeFile(file, text)
  return files.map(({ file }) => file)
}

testWithKernelTrees('order of layers in a choice: merge of random pairs equals merge_config.sh', (t, tree) =>
  withFolder(async (folder) => {
    const kconfig = readKernelTree(tree.directory)
    const base = join(tree.directory, 'arch/x86/configs/x86_64_defconfig')
    for (let seed = 1; seed <= pairs; seed += 1) {
      const files = await writeLayers(kconfig, folder, seed)
      await compareMerge(t, tree, folder, [base, ...files], `seed ${seed}`)
    }
  }),
)

/** The kernel's own sets, and those of the folders that FWBUILD_FRAGMENT_SETS names (several with `:`). */
async function publishedSets(tree: KernelTree): Promise<readonly (readonly string[])[]> {
  const filesIn = async (folder: string): Promise<readonly string[]> =>
    (await readdir(folder))
      .filter((name) => /\.(?:config|conf)$/.test(name))
      .sort()
      .map((name) => join(folder, name))
  const own = [
    ...(await filesIn(join(tree.directory, 'kernel/configs'))),
    ...(await filesIn(join(tree.directory, 'arch/x86/configs'))),
  ]
  const given = (process.env['FWBUILD_FRAGMENT_SETS'] ?? '').split(':').filter((name) => name !== '')
  const sets = await Promise.all(given.map((name) => filesIn(resolve(name))))
  return [
    ...own.map((file) => [file]),
    own,
    own.toReversed(),
    ...sets,
    ...sets.map((set) => set.toReversed()),
  ]
}

testWithKernelTrees(
  'order of layers in a choice: merge of published sets equals merge_config.sh',
  (t, tree) =>
    withFolder(async (folder) => {
      const base = join(tree.directory, 'arch/x86/configs/x86_64_defconfig')
      for (const set of await publishedSets(tree))
        await compareMerge(t, tree, folder, [base, ...set], set.map((file) => basename(file)).join(', '))
    }),
)

testWithKernelTrees('order of layers in a choice: the recorded results are those of this kernel', (t, tree) =>
  withFolder(async (folder) => {
    const model = readKernelTree(tree.directory).choiceModel
    const kconfig = fixtureTree(fixture, model)
    await mkdir(join(folder, 'tree'))
    await writeFile(join(folder, 'tree/Kconfig'), await readFile(`${fixture}/Kconfig`))
    await writeFile(join(folder, 'empty'), '')
    const lines: string[] = []
    for (let seed = 0; seed < recorded; seed += 1) {
      const files = await writeLayers(kconfig, folder, seed)
      const script = join(tree.directory, 'scripts/kconfig/merge_config.sh')
      const empty = join(folder, 'empty')
      spawnSync('sh', [script, '-m', '-O', folder, empty, ...files], { cwd: folder })
      const config = join(folder, '.config')
      const conf = join(tree.directory, 'scripts/kconfig/conf')
      const env = { ...tree.env, KCONFIG_CONFIG: config }
      const run = spawnSync(conf, ['--olddefconfig', 'Kconfig'], {
        cwd: join(folder, 'tree'),
        env,
        encoding: 'utf8',
      })
      t.is(run.status, 0, run.stderr)
      const values = parseDotConfig(await readFile(config, 'utf8'), config).values
      lines.push([...values].map(([symbol, value]) => `${symbol}=${value}`).join(' '))
    }
    const file = `${fixture}/expected.${model}`
    if (process.env['FWBUILD_RECORD'] !== undefined) await writeFile(file, `${lines.join('\n')}\n`)
    t.deepEqual(lines, (await readFile(file, 'utf8')).trimEnd().split('\n'))
  }),
)

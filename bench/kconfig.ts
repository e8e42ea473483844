import { spawnSync } from 'node:child_process'
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseDotConfig } from '../src/core/kconfig/dot-config.ts'
import { evaluate } from '../src/core/kconfig/tree/evaluate.ts'
import { kernelEnvironment, readKernelTree } from '../src/effects/kconfig-tree.ts'

const checkedLines = 10_000
const cli = 'dist/src/cli.js'

/**
 * Reading, evaluating and checking beside the kernel's own tools, in one run on one machine.
 * @param args a kernel source with its conf compiled; default FWBUILD_KERNEL_TREE
 */
export async function benchKconfig(args: readonly string[]): Promise<void> {
  const given = args[0] ?? process.env['FWBUILD_KERNEL_TREE']?.split(':')[0]
  if (given === undefined) {
    console.log('kconfig: skipped, needs a kernel source: npm run bench kconfig DIR')
    return
  }
  const tree = resolve(given)
  const folder = await mkdtemp(join(tmpdir(), 'fwbuild-bench-kconfig-'))
  try {
    await benchReading(tree, folder)
    await benchCheck(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function benchReading(tree: string, folder: string): Promise<void> {
  const input = join(tree, 'arch/x86/configs/x86_64_defconfig')
  const env = kernelEnvironment(tree)
  const answers = new Map<string, string>()
  let probeMs = 0
  const shell = (command: string, ask: () => string): string => {
    const started = performance.now()
    const answer = answers.get(command) ?? ask()
    answers.set(command, answer)
    probeMs += performance.now() - started
    return answer
  }
  const wholeMs = measure(() => readKernelTree(tree, { shell }))
  const probed = probeMs
  const config = parseDotConfig(await readFile(input, 'utf8'), input)
  let evaluateMs = 0
  const cpuBefore = process.cpuUsage()
  const readMs = measure(() => {
    const kconfig = readKernelTree(tree, { shell })
    evaluateMs = measure(() => evaluate(kconfig, config))
  })
  const cpu = process.cpuUsage(cpuBefore)
  const cpuMs = Math.round((cpu.user + cpu.system) / 1000)
  row(
    'read the tree, first time',
    wholeMs,
    `${answers.size} compiler probes took ${Math.round(probed)} ms of it`,
  )
  row(
    'read (answers known) and evaluate',
    readMs,
    `evaluate alone ${Math.round(evaluateMs)} ms; processor time ${cpuMs} ms`,
  )
  console.log(`  peak memory ${Math.round(process.resourceUsage().maxRSS / 1024)} MB`)

  const output = join(folder, 'config')
  await copyFile(input, output)
  const confEnv = { ...env, KCONFIG_CONFIG: output }
  const conf = join(tree, 'scripts/kconfig/conf')
  row(
    "the kernel's conf --olddefconfig",
    measure(() => run(conf, ['--olddefconfig', 'Kconfig'], tree, confEnv)),
    'probes included',
  )
  const fragment = join(folder, 'fragment')
  await writeFile(fragment, 'CONFIG_HYPERV=y\nCONFIG_PCI_HYPERV=y\nCONFIG_9P_FS=y\n')
  row(
    "the kernel's merge_config.sh, 3 lines",
    measure(() =>
      run('sh', ['scripts/kconfig/merge_config.sh', output, fragment], tree, {
        ...process.env,
        KCONFIG_CONFIG: join(folder, 'merged'),
      }),
    ),
  )
  row(
    'fwbuild kconfig merge --tree, 3 lines',
    measure(() =>
      run(process.execPath, [cli, 'kconfig', 'merge', input, fragment, '--tree', tree], '.', process.env),
    ),
    'whole process, probes included',
  )
}

async function benchCheck(folder: string): Promise<void> {
  const lines = Array.from({ length: checkedLines }, (_, index) =>
    index % 3 === 0 ? `# CONFIG_SYMBOL_${index} is not set` : `CONFIG_SYMBOL_${index}=y`,
  )
  const config = join(folder, 'large.config')
  const fragment = join(folder, 'small.config')
  await writeFile(config, `# Linux/x86 6.12.0 Kernel Configuration\n${lines.join('\n')}\n`)
  await writeFile(fragment, 'CONFIG_SYMBOL_1=y\n# CONFIG_SYMBOL_3 is not set\n')
  const args = [cli, 'kconfig', 'check', '--config', config, '--fragment', fragment]
  const times = Array.from({ length: 5 }, () => measure(() => run(process.execPath, args, '.', process.env)))
  row(`fwbuild kconfig check, ${checkedLines} lines`, Math.min(...times), 'whole process, best of 5')
}

function run(command: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): void {
  const result = spawnSync(command, args, { cwd, env, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
  if (result.status !== 0 && result.status !== 1)
    console.log(`  ${command} ended ${result.status}: ${(result.stderr ?? '').slice(-300)}`)
}

function measure(body: () => unknown): number {
  const started = performance.now()
  body()
  return performance.now() - started
}

const row = (what: string, ms: number, note = ''): void =>
  console.log(`  ${what.padEnd(42)} ${String(Math.round(ms)).padStart(7)} ms  ${note}`.trimEnd())

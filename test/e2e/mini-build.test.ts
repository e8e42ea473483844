import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { manifestSchema } from '../../src/core/manifest/manifest.ts'
import { runProcess } from '../../src/effects/process.ts'
import { cli } from '../helpers/cli.ts'
import { needDocker, needProgram, testWith } from '../helpers/need.ts'
import { outcomesOf } from '../helpers/outcomes.ts'

const needs = [
  needDocker(),
  needProgram('debootstrap'),
  needProgram('qemu-system-x86_64'),
  needProgram('qemu-img'),
  { name: 'OVMF', present: existsSync('/usr/share/OVMF') },
  { name: 'root (for debootstrap)', present: process.getuid?.() === 0 },
]

/**
 * Starts the real program, kills it without mercy once it compiles, and leaves what it leaves.
 * @returns the containers it had by then
 */
async function buildUntilKilled(args: readonly string[], work: string): Promise<string> {
  const child = spawn(process.execPath, ['dist/src/cli.js', ...args], { stdio: ['ignore', 'ignore', 'pipe'] })
  const killed = new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
  })
  let seen = ''
  child.stderr.on('data', (chunk: Buffer) => (seen += chunk.toString()))
  while (child.exitCode === null && !seen.includes('Compile …')) await sleep(200)
  await sleep(20_000)
  const containers = await containersOf(work)
  child.kill('SIGKILL')
  await killed
  return containers
}

async function containersOf(work: string): Promise<string> {
  const found = await runProcess(['docker', 'ps', '-aq', '--filter', `label=fwbuild.workdir=${work}`])
  return found.stdout.trim()
}

testWith(needs, 'mini: killed, continued, booted, cached, and run again for one changed line', async (t) => {
  t.timeout(50 * 60_000)
  // As by default below the home, which for root is closed to the user who builds in the container.
  const scratch = await mkdtemp(join(homedir(), 'fwbuild-e2e-'))
  t.teardown(() => rm(scratch, { recursive: true, force: true }))
  const fragment = join(scratch, 'extra.config')
  await writeFile(fragment, 'CONFIG_IKCONFIG=y\n')
  const work = join(scratch, 'work')
  const output = join(scratch, 'out')
  const build = ['openwrt', '--release', 'mini', '--hv', 'kvm,hyperv', '--share', '9p', '--work', work]
  build.push('--output', output, '--fragment', fragment)

  t.not(await buildUntilKilled(build, work), '', 'the kill came while the container ran')
  for (let looks = 0; looks < 30 && (await containersOf(work)) !== ''; looks += 1) await sleep(1000)
  t.is(await containersOf(work), '', 'the container ended by itself')

  const built = await cli([...build, '--json'])
  t.is(built.exitCode, 0, built.stderr.slice(-3000))
  t.is(await containersOf(work), '', 'no container is left')
  t.notRegex(built.stderr, /cannot read the history/)
  await checkManifest(t, output)

  const cached = await cli([...build, '--json'])
  t.is(cached.exitCode, 0)
  t.true(
    outcomesOf(cached.stderr).every((outcome) => outcome.endsWith(': cached')),
    cached.stderr,
  )

  await writeFile(fragment, 'CONFIG_IKCONFIG=y\nCONFIG_IKCONFIG_PROC=y\n')
  const again = await cli([...build, '--json', '--explain', '--until', 'configure'])
  t.deepEqual(outcomesOf(again.stderr), [
    'source: cached',
    'merge: cached',
    'patch: cached',
    'feeds: cached',
    'configure: done',
  ])
  t.regex(again.stderr, /configure ran again, its inputs differ:[^]*IKCONFIG_PROC/)
})

async function checkManifest(t: ExecutionContext, output: string): Promise<void> {
  const manifest = manifestSchema.parse(JSON.parse(await readFile(join(output, 'manifest.json'), 'utf8')))
  const wanted = ['bios', 'uefi'].flatMap((firmware) =>
    ['raw', 'qcow2', 'vhdx'].map((format) => `${firmware} ${format}`),
  )
  const passed = manifest.artifacts.filter((artifact) => artifact.boot?.status === 'passed')
  t.deepEqual(passed.map(({ firmware, format }) => `${firmware} ${format}`).sort(), wanted.sort())
  const sums = await runProcess(['sha256sum', '-c', '--quiet', 'sha256sums'], { cwd: output })
  t.is(sums.exitCode, 0, sums.stdout + sums.stderr)
}

test('the end-to-end build is described in the README', async (t) => {
  t.regex(
    await readFile('README.md', 'utf8'),
    /fwbuild openwrt --hv kvm,hyperv --release mini --install-missing/,
  )
})

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { lstatSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ExecutionContext } from 'ava'
import type { BuildUser } from '../../src/effects/engine.ts'
import {
  filesWith,
  fullListing,
  guardedFolder,
  namesBelow,
  plant,
  plantKinds,
  type PlantKind,
} from '../helpers/plant.ts'
import { seededRandom } from '../helpers/random.ts'

/** A build that was once done undisturbed, and can be done again from any of its steps. */
export interface Victim {
  readonly work: string
  readonly output: string
  /** Folder of the step records. */
  readonly stateDir: string
  readonly steps: readonly string[]
  /** Arguments of the fwbuild command. */
  readonly argv: readonly string[]
  readonly cwd: string
  /** Who runs fwbuild; default: whoever runs the tests. */
  readonly as?: BuildUser
  /** Names that the build asks for and an undisturbed one may not leave, by path below the work directory. */
  readonly asksFor: readonly string[]
}

export interface RoundOptions {
  /** Names to plant in all. */
  readonly names: number
  readonly seed: number
}

export interface Tally {
  rounds: number
  planted: number
  readonly exitCodes: Map<number, number>
}

const timeLimitMs = 30_000
const interruptLimitMs = 15_000
/** At least; half the rounds plant one name only, so that an early failure hides no later step. */
const mostNamesARound = 24

/**
 * Plants things at names below everything that builds may write to, does the build again from a random step, and
 * looks whether anything outside was touched, anything secret came out, or anything hung or crashed.
 */
export async function attack(t: ExecutionContext, victim: Victim, options: RoundOptions): Promise<Tally> {
  const random = seededRandom(options.seed)
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
  const template = `${victim.work}.template`
  await copy(victim.work, template)
  const names = [...new Set([...plantableNames(template), ...victim.asksFor])].sort()
  const tally: Tally = { rounds: 0, planted: 0, exitCodes: new Map() }
  while (tally.planted < options.names) {
    await restore(template, victim.work)
    const guarded = await guardedFolder(t)
    const from = Math.floor(random() * victim.steps.length)
    for (const step of victim.steps.slice(from))
      rmSync(join(victim.stateDir, 'steps', `${step}.json`), { force: true })
    const count = random() < 0.5 ? 1 : 1 + Math.floor(random() * mostNamesARound)
    const planted = apart(
      Array.from({ length: count }, () => ({ name: pick(names), kind: pick(plantKinds) })),
    )
    const before = fullListing(guarded.path)
    for (const { name, kind } of planted) plant(victim.work, name, kind, guarded)
    tally.planted += planted.length
    const what = planted.map(({ name, kind }) => `${kind} at ${name}`).join('; ')
    const story = `from ${victim.steps[from]}, seed ${options.seed}, round ${tally.rounds}: ${what}`
    const { exitCode, output, hung } = await runBuild(victim)
    t.false(hung, `hung: ${story}\n${output}`)
    t.true([0, 1, 2, 3, 4, 130].includes(exitCode), `exit ${exitCode}: ${story}\n${output}`)
    t.deepEqual(fullListing(guarded.path), before, `touched: ${story}\n${output}`)
    t.false(output.includes(guarded.secret), `told: ${story}`)
    t.deepEqual(filesWith(victim.output, guarded.secret), [], `came out: ${story}`)
    tally.rounds += 1
    tally.exitCodes.set(exitCode, (tally.exitCodes.get(exitCode) ?? 0) + 1)
  }
  rmSync(template, { recursive: true, force: true })
  return tally
}

interface Planted {
  readonly name: string
  readonly kind: PlantKind
}

/** None below another: that would be planted through the other, by the test itself. */
function apart(all: readonly Planted[]): readonly Planted[] {
  const taken: Planted[] = []
  const isAbove = (a: string, b: string): boolean => `${b}/`.startsWith(`${a}/`)
  for (const each of all) {
    const clash = taken.some(({ name }) => isAbove(name, each.name) || isAbove(each.name, name))
    if (!clash) taken.push(each)
  }
  return taken
}

async function restore(template: string, work: string): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      rmSync(work, { recursive: true, force: true })
      break
    } catch (error) {
      if (attempt === 5) throw error
      await sleep(100)
    }
  }
  await copy(template, work)
}

/** cp(1) keeps owners and copies sockets, which fs.cp does not. */
async function copy(from: string, to: string): Promise<void> {
  const [code] = (await once(spawn('cp', ['-a', from, to]), 'exit')) as [number | null]
  if (code !== 0) throw new Error(`cp -a ${from} ${to} ended with ${code}`)
}

/** All names below the folders that belong to builds: not the folders themselves, which builds can't replace. */
function plantableNames(work: string): readonly string[] {
  return buildFolders(work).flatMap((folder) =>
    namesBelow(join(work, folder)).map((name) => `${folder}/${name}`),
  )
}

/** Mounted into sessions for writing, or their home. */
function buildFolders(work: string): readonly string[] {
  const below = (folder: string): readonly string[] =>
    lstatSync(join(work, folder), { throwIfNoEntry: false })?.isDirectory() === true
      ? readdirSync(join(work, folder)).map((name) => `${folder}/${name}`)
      : []
  return [...['trees', 'dl', 'downloads', 'ccache'].flatMap(below), 'home', 'keys/apt', 'apt'].filter(
    (folder) => lstatSync(join(work, folder), { throwIfNoEntry: false })?.isDirectory() === true,
  )
}

export interface Outcome {
  readonly exitCode: number
  readonly output: string
  /** It waited although no program of the tree ran, or did not hear an interrupt. */
  readonly hung: boolean
}

/** Does the build once in a process of its own. */
export async function runBuild(victim: Victim): Promise<Outcome> {
  const child = spawn(process.execPath, [join(process.cwd(), 'dist/src/cli.js'), ...victim.argv], {
    cwd: victim.cwd,
    env: { PATH: process.env['PATH'], HOME: victim.cwd },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...victim.as,
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
  let hung = false
  const giveUp = setTimeout(() => {
    // A make of the tree that waits at a FIFO of its own is the tree's affair, and the user's to interrupt.
    hung = !victim.argv.join(' ').includes('--engine docker') && !programRuns(victim.work)
    child.kill('SIGINT')
  }, timeLimitMs)
  const kill = setTimeout(() => {
    hung = true
    child.kill('SIGKILL')
  }, timeLimitMs + interruptLimitMs)
  const exitCode = await new Promise<number>((resolve) => {
    child.once('close', (code) => resolve(code ?? -1))
  })
  clearTimeout(giveUp)
  clearTimeout(kill)
  return { exitCode, output, hung }
}

/** Whether a program runs that was started in a session of this work directory: the engine marks them. */
function programRuns(work: string): boolean {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return pids.some((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`FWBUILD_WORKDIR=${work}\0`)
    } catch {
      return false
    }
  })
}

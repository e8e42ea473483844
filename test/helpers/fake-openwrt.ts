import { cp, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { openwrtSpec } from '../../src/core/spec/openwrt-spec.ts'
import { trustDomain } from '../../src/core/spec/trust-domain.ts'
import { cli, type CliOptions, type CliResult } from './cli.ts'
import { commit, newRepository } from './git-repository.ts'
import { temporaryDirectory } from './temporary.ts'

/** The release whose rules the fake tree follows. */
export const fakeRelease = '22.03'

export interface FakeBuild {
  /** Current directory of the command line. */
  readonly home: string
  /** The repository that is built. */
  readonly source: string
  readonly work: string
  /** Its name below the folders of the work directory. */
  readonly domain: string
  readonly output: string
  /** The work tree in the work directory. */
  readonly tree: string
  /** `fwbuild openwrt` on the fake tree, one raw image for each firmware, no boot. */
  readonly build: (args?: readonly string[], options?: CliOptions) => Promise<CliResult>
  /** The same as arguments, for a process of its own. */
  readonly commandLine: (args: readonly string[]) => readonly string[]
  /** Any other verb with the work directory, engine and release of the build. */
  readonly run: (verb: string, args?: readonly string[]) => Promise<CliResult>
  /** Sets a switch of the fake tree (its README.md lists them). */
  readonly setSwitch: (name: string, value: string) => Promise<void>
}

/** A repository made of test/fixtures/fake-openwrt and everything to build it, in a directory of its own. */
export async function fakeBuild(t: ExecutionContext): Promise<FakeBuild> {
  const home = await temporaryDirectory(t)
  const source = join(home, 'source')
  const work = join(home, 'work')
  const output = join(home, 'out')
  await cp('test/fixtures/fake-openwrt', source, { recursive: true })
  newRepository(source)
  commit(source, 'fake tree', {})
  // Asks for a fifth of a real tree's disk space: the fake one needs next to none.
  const domain = trustDomain(openwrtSpec([{ release: fakeRelease, source }])).name
  const last = join(work, 'builds', domain, 'last')
  await mkdir(last, { recursive: true })
  await writeFile(join(last, 'compile.json'), '{}\n')
  const env = { PATH: process.env['PATH'], HOME: home }
  const common = ['--engine', 'host', '--work', work, '--release', fakeRelease]
  const tree = join(work, 'trees', domain)
  const commandLine = (args: readonly string[]): readonly string[] => [
    'openwrt',
    ...common,
    '--output',
    output,
    '--source',
    `${source}#main`,
    '--hv',
    'kvm',
    '--no-boot',
    '-j',
    '2',
    ...(args.includes('--image') ? [] : ['--image', 'raw']),
    ...args,
  ]
  return {
    home,
    source,
    work,
    domain,
    output,
    tree,
    commandLine,
    build: (args = [], options = {}) => cli(commandLine(args), { cwd: home, env, ...options }),
    run: (verb, args = []) => cli([verb, ...common, ...args], { cwd: home, env }),
    setSwitch: async (name, value) => {
      await mkdir(join(tree, 'tmp'), { recursive: true })
      await writeFile(join(tree, 'tmp', name), value)
    },
  }
}

import { cp, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { hostKernelSpec } from '../../src/core/spec/host-kernel-spec.ts'
import { cli, type CliOptions, type CliResult } from './cli.ts'
import { temporaryDirectory } from './temporary.ts'

export interface FakeKernelBuild {
  readonly home: string
  /** The tree that is given as --source. */
  readonly source: string
  readonly work: string
  readonly output: string
  /** The unpacked copy in the work directory. */
  readonly tree: string
  /** `fwbuild host-kernel` on the fake tree, without a boot. */
  readonly build: (args?: readonly string[], options?: CliOptions) => Promise<CliResult>
  /** The same as arguments, for a process of its own. */
  readonly commandLine: (args?: readonly string[]) => readonly string[]
  /** Writes a patch that replaces one line of drivers/pci/quirks.c, and gives its path. */
  readonly patch: (name: string, from: string, to: string) => Promise<string>
  readonly fragment: (text: string) => Promise<string>
}

/** A copy of test/fixtures/fake-kernel and everything to build it, in a directory of its own. */
export async function fakeKernelBuild(t: ExecutionContext): Promise<FakeKernelBuild> {
  const home = await temporaryDirectory(t)
  const [source, work, output] = ['source', 'work', 'out'].map((name) => join(home, name)) as [
    string,
    string,
    string,
  ]
  await cp('test/fixtures/fake-kernel', source, { recursive: true, preserveTimestamps: true })
  const fragment = async (text: string): Promise<string> => {
    const file = join(home, 'my.config')
    await writeFile(file, text)
    return file
  }
  const base = await fragment('CONFIG_MODULES=y\nCONFIG_BASE=y\nCONFIG_DEPENDENT=y\n')
  const { name } = hostKernelSpec([{ source }])
  // Asks for a fifth of a real tree's disk space: the fake one needs next to none.
  const last = join(work, 'builds', name, 'last')
  await mkdir(last, { recursive: true })
  await writeFile(join(last, 'compile.json'), '{}\n')
  const commandLine = (args: readonly string[] = []): readonly string[] => [
    'host-kernel',
    '--engine=host',
    `--work=${work}`,
    `--output=${output}`,
    `--source=${source}`,
    '--config=micro',
    '--zfs=off',
    `--fragment=${base}`,
    '--no-boot',
    ...args,
  ]
  const env = { PATH: process.env['PATH'], HOME: home }
  return {
    home,
    source,
    work,
    output,
    tree: join(work, 'trees', name, 'src'),
    commandLine,
    build: (args, options = {}) => cli(commandLine(args), { cwd: home, env, ...options }),
    patch: async (file, from, to) => {
      const path = join(home, file)
      const text = [
        '--- a/drivers/pci/quirks.c',
        '+++ b/drivers/pci/quirks.c',
        '@@ -3,3 +3,3 @@',
        ' ',
        `-${from}`,
        `+${to}`,
        ' ',
        '',
      ]
      await writeFile(path, text.join('\n'))
      return path
    },
    fragment,
  }
}

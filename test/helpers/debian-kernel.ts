import { spawnSync } from 'node:child_process'
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { runProcess } from '../../src/effects/process.ts'
import type { Need } from './need.ts'

const metaPackage = 'linux-image-cloud-amd64'

/** Debian's packages are downloadable and can be unpacked. */
export const needDebianKernel = (): Need => ({
  name: `${metaPackage} from apt, dpkg-deb`,
  present: [
    ['apt-cache', 'show', metaPackage],
    ['dpkg-deb', '--version'],
  ].every(([program = '', ...args]) => spawnSync(program, args, { stdio: 'ignore' }).status === 0),
})

export interface DebianKernel {
  readonly kernelPath: string
  readonly release: string
  /** `…/lib/modules/RELEASE` */
  readonly modulesDir: string
}

/** Unpacks Debian's own kernel, the one that boots fastest, into an empty directory. */
export async function debianKernel(directory: string): Promise<DebianKernel> {
  const depends = await run(['apt-cache', 'depends', metaPackage], directory)
  const name = /Depends: (linux-image-\S+)/.exec(depends)?.[1]
  if (name === undefined) throw new Error(`${metaPackage} depends on no kernel`)
  await run(['apt-get', 'download', '-q', name], directory)
  const root = join(directory, 'root')
  await mkdir(root)
  const [deb = ''] = (await readdir(directory)).filter((file) => file.endsWith('.deb'))
  await run(['dpkg-deb', '-x', join(directory, deb), root], directory)
  const release = name.slice('linux-image-'.length)
  return {
    kernelPath: join(root, 'boot', `vmlinuz-${release}`),
    release,
    modulesDir: join(root, 'lib/modules', release),
  }
}

async function run(argv: readonly string[], cwd: string): Promise<string> {
  const result = await runProcess(argv, { cwd })
  if (result.exitCode !== 0) throw new Error(`${argv.join(' ')}: ${result.stderr}`)
  return result.stdout
}

import { createHash } from 'node:crypto'
import { chmod, copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { giveTo } from '../../effects/build-user.ts'
import { atomicWrite, removeTree } from '../../effects/files.ts'
import { reusableAnswers } from '../../core/host/zfs-answers.ts'
import { kernelInterface } from './kernel-interface.ts'
import { requireSuccess } from './session-output.ts'
import { runZfsProgram } from './zfs-run.ts'
import type { ZfsBuild } from './zfs-build.ts'

/** Shown for minutes. */
const longPart = 'configure compiles some 250 questions to the kernel'

/** Raised when answers of an earlier configure must not be used again. */
const cacheVersion = 1

/**
 * Runs configure in the tree. Most of its time goes into some 250 compilations that ask what the kernel has.
 * The answers are kept (OpenZFS 2.3 caches them, 2.1 does not) under a digest of what they depend on, because
 * OpenZFS's own key is made of the kernel's path and version only.
 */
export async function configureZfs(build: ZfsBuild, tree: string): Promise<void> {
  const { session, tools } = build
  const compiler = build.ccache ? await ccacheWrapper(build) : undefined
  const cache = join(build.zfsDir, '..', 'config-cache', await cacheKey(build, tree))
  const local = join(tree, 'config.cache')
  if (existsSync(cache)) {
    await copyFile(cache, local)
    await giveTo(local, build.user)
  }
  tools.progress({ item: 'configure asks the kernel for its interfaces' })
  const argv = [
    './configure',
    '--prefix=/usr',
    '--with-config=kernel',
    '--disable-dependency-tracking',
    `--with-linux=${session.inside(build.kernelSrcDir)}`,
    `--with-linux-obj=${session.inside(build.kernelObjDir)}`,
    `--cache-file=${session.inside(local)}`,
    ...(compiler === undefined ? [] : [`KERNEL_CC=${session.inside(compiler)}`]),
  ]
  await runZfsProgram(build, argv, {
    cwd: tree,
    what: 'configure of ZFS',
    env: { TEST_JOBS: String(build.jobs) },
    onLine: (line) => {
      const checked = /^checking (.*?)\.\.\. ?/.exec(line)?.[1]
      if (checked === undefined) return
      // The line of the long part ends only with it; this is the one before.
      const item = checked.includes('DECLARE_EVENT_CLASS') ? longPart : `configure: ${checked}`
      tools.progress({ item })
    },
  })
  await keepCache(local, cache)
}

/** Only the newest answers are kept; those of a configure that did not end well never are. */
async function keepCache(local: string, cache: string): Promise<void> {
  if (existsSync(cache)) return
  const folder = join(cache, '..')
  for (const name of await readdir(folder).catch((): string[] => [])) await removeTree(join(folder, name))
  await atomicWrite(cache, reusableAnswers(await readFile(local, 'utf8')))
}

async function cacheKey(build: ZfsBuild, tree: string): Promise<string> {
  const { session, tools } = build
  const compiler = await requireSuccess(session, ['gcc', '--version'], { cwd: tree, signal: tools.signal })
  const hash = createHash('sha256')
  const trees = [session.inside(build.kernelSrcDir), session.inside(build.kernelObjDir), session.inside(tree)]
  hash.update(JSON.stringify([cacheVersion, compiler, trees, build.release, build.ccache]))
  hash.update(await kernelInterface(build, tools.signal))
  hash.update(await readFile(join(tree, 'configure')))
  return hash.digest('hex')
}

/**
 * A compiler without a space in its name: configure and Makefiles hand KERNEL_CC on unquoted, so that
 * `ccache gcc` would be two arguments.
 */
async function ccacheWrapper({ zfsDir, user }: ZfsBuild): Promise<string> {
  const folder = join(zfsDir, '..', 'bin')
  const path = join(folder, 'gcc')
  await mkdir(folder, { recursive: true })
  await writeFile(path, '#!/bin/sh\nexec ccache gcc "$@"\n')
  await chmod(path, 0o755)
  await giveTo(folder, user)
  return path
}

import { createHash } from 'node:crypto'
import { join } from 'node:path'
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
  const { session, area, tools } = build
  const compiler = build.ccache ? ccacheWrapper(build) : undefined
  const cache = join(build.zfsDir, '..', 'config-cache', await cacheKey(build, tree))
  const local = join(tree, 'config.cache')
  const answers = area.read(cache)
  if (answers !== undefined) area.write(local, answers)
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
  await keepCache(build, local, cache)
}

/** Only the newest answers are kept; those of a configure that did not end well never are. */
async function keepCache({ area }: ZfsBuild, local: string, cache: string): Promise<void> {
  if (area.isFile(cache)) return
  await area.remove(join(cache, '..'))
  area.write(cache, reusableAnswers(area.requireText(local)))
}

async function cacheKey(build: ZfsBuild, tree: string): Promise<string> {
  const { session, area, tools } = build
  const compiler = await requireSuccess(session, ['gcc', '--version'], { cwd: tree, signal: tools.signal })
  const hash = createHash('sha256')
  const trees = [session.inside(build.kernelSrcDir), session.inside(build.kernelObjDir), session.inside(tree)]
  hash.update(JSON.stringify([cacheVersion, compiler, trees, build.release, build.ccache]))
  hash.update(await kernelInterface(build, tools.signal))
  hash.update(area.requireText(join(tree, 'configure')))
  return hash.digest('hex')
}

/**
 * A compiler without a space in its name: configure and Makefiles hand KERNEL_CC on unquoted, so that
 * `ccache gcc` would be two arguments.
 */
function ccacheWrapper({ area, zfsDir }: ZfsBuild): string {
  const path = join(zfsDir, '..', 'bin', 'gcc')
  area.write(path, '#!/bin/sh\nexec ccache gcc "$@"\n', 0o755)
  return path
}

import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Json } from '../core/json.ts'
import { buildrootPackages, type DebianSuite } from '../core/release/buildroot-packages.ts'
import { ensureBuildrootImage } from '../effects/buildroot-image.ts'
import { connectDocker } from '../effects/docker/client.ts'
import type { BuildrootImage } from './build-settings.ts'

export interface BuildrootWish {
  readonly projectDir: string
  readonly workDir: string
  readonly suites: readonly string[]
  readonly mirror: string | undefined
  readonly offline: boolean
  readonly env: Readonly<Record<string, string | undefined>>
  readonly signal: AbortSignal
}

const packagesOf = (suite: string): readonly string[] => buildrootPackages(suite as DebianSuite)

const dockerfileOf = (wish: BuildrootWish): string => join(wish.projectDir, 'Dockerfile.buildroot')

/** What the buildroot image is made of, as far as it is known without Docker. */
export async function buildrootInputs(wish: BuildrootWish): Promise<Json> {
  const dockerfile = createHash('sha256')
    .update(await readFile(dockerfileOf(wish)))
    .digest('hex')
  return { dockerfile, suites: wish.suites.map((suite) => ({ suite, packages: packagesOf(suite) })) }
}

/** Builds the image where it is not there yet; the first suite that can be had is used. */
export async function ensureBuildroot(
  wish: BuildrootWish,
  tell: (text: string) => void,
): Promise<BuildrootImage> {
  const { docker } = await connectDocker(wish.env, wish.signal)
  const image = await ensureBuildrootImage(docker, {
    dockerfile: dockerfileOf(wish),
    packagesOf,
    suites: wish.suites,
    scratchDir: join(wish.workDir, 'scratch'),
    offline: wish.offline,
    signal: wish.signal,
    onLine: tell,
    ...(wish.mirror === undefined ? {} : { mirror: wish.mirror }),
  })
  const notes =
    image.base.suite === wish.suites[0] ? [] : [...image.base.notes, `built on Debian ${image.base.suite}`]
  return { image: image.reference, id: image.id, notes }
}

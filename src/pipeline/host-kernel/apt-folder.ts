import { mkdir, rename } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { buildError, infraError } from '../../core/errors.ts'
import {
  keyParameters,
  releaseOptions,
  repositoryFiles,
  repositoryTemplate,
} from '../../core/host/apt-repository.ts'
import { debianPackageOf } from '../../core/host/programs.ts'
import { areaOf } from '../../effects/beneath/area.ts'
import { giveBeneath } from '../../effects/beneath/give.ts'
import { isFileBeneath, statBeneath } from '../../effects/beneath/read.ts'
import { entriesBelow } from '../../effects/beneath/walk.ts'
import type { BuildUser, Mount, Session } from '../../effects/engine.ts'
import { removeTree } from '../../effects/files.ts'

/** Opens a session that sees these folders and nothing else of fwbuild's. */
export type Apart = <T>(mounts: readonly Mount[], body: (session: Session) => Promise<T>) => Promise<T>

export interface AptFolderRequest {
  /** Packages to be copied into it, by path of this machine. */
  readonly debs: readonly string[]
  /** Copies one of them. */
  readonly copy: (deb: string, to: string) => Promise<unknown>
  /** The folder to be made; replaced when it is there. No build writes to the folder that it lies in. */
  readonly dir: string
  /** Where the folder will be used from: goes into the source. */
  readonly usedFrom: string
  /** Holds the signing key, which is made at its first use. */
  readonly keyDir: string
  /** Date of the index: seconds since 1970. */
  readonly epoch: number
  readonly user: BuildUser
  readonly signal: AbortSignal
  readonly line: (text: string) => void
}

const keyName = 'fwbuild local packages'
/** Fixed places inside the sessions. */
const inside = { folder: '/build/packages', keys: '/build/keys' } as const

/**
 * A folder that APT takes as a signed repository: packages, indexes, their signature and its public key. The
 * packages, which builds made, are looked into where the secret key is not; the key is seen by gpg alone.
 * @returns the folder
 * @throws build E_APT_FOLDER, cancelled
 */
export async function makeAptFolder(apart: Apart, request: AptFolderRequest): Promise<string> {
  const { dir, debs, user, keyDir } = request
  const work = `${dir}.new`
  await removeTree(work)
  const pool = join(work, repositoryFiles.pool)
  await mkdir(pool, { recursive: true })
  for (const deb of debs) await request.copy(deb, join(pool, basename(deb)))
  await giveBeneath(dirname(work), basename(work), user)
  const area = areaOf(work, user)
  const folder = { source: work, target: inside.folder }
  await apart([folder], async (session) => {
    const run = (argv: readonly string[]): Promise<string> => output(session, argv, work, request)
    const packages = await run(['apt-ftparchive', 'packages', repositoryFiles.pool])
    area.write(join(work, 'Packages'), packages)
    area.write(join(work, 'Packages.gz'), gzipSync(packages, { level: 9 }))
    area.write(join(work, 'Release'), await run(['apt-ftparchive', ...releaseOptions, 'release', '.']))
  })
  await mkdir(dirname(keyDir), { recursive: true })
  await mkdir(keyDir, { recursive: true, mode: 0o700 })
  await giveBeneath(dirname(keyDir), basename(keyDir), user)
  requireKeyFiles(keyDir)
  await apart([folder, { source: keyDir, target: inside.keys }], (session) => sign(session, work, request))
  area.write(join(work, repositoryFiles.sources), repositoryTemplate(request.usedFrom))
  await removeTree(dir)
  await rename(work, dir)
  return dir
}

/** gpg would follow a link and wait at a FIFO. @throws infra E_KEY_FOLDER */
function requireKeyFiles(keyDir: string): void {
  for (const path of entriesBelow(keyDir, '')) {
    const stats = statBeneath(keyDir, path)
    // Sockets are those of gpg's own agent.
    if (stats === undefined || stats.isFile() || stats.isDirectory() || stats.isSocket()) continue
    throw infraError('E_KEY_FOLDER', `${join(keyDir, path)} is no regular file`, {
      hint: `look how it came there; without ${keyDir} a new key is made`,
    })
  }
}

async function sign(session: Session, work: string, request: AptFolderRequest): Promise<void> {
  const key = await ensureKey(session, request)
  const run = (argv: readonly string[]): Promise<string> => output(session, argv, work, request)
  const gpg = ['gpg', '--batch', '--yes', '--homedir', session.inside(request.keyDir), '--local-user', key]
  const release = session.inside(join(work, 'Release'))
  await run([...gpg, '--clearsign', '--output', session.inside(join(work, 'InRelease')), release])
  await run([...gpg, '--armor', '--detach-sign', '--output', `${release}.gpg`, release])
  const keyring = session.inside(join(work, repositoryFiles.keyring))
  await run([...gpg.slice(0, 5), '--output', keyring, '--export', key])
}

/** Fingerprint of the key that signs. */
async function ensureKey(session: Session, request: AptFolderRequest): Promise<string> {
  const { keyDir, user } = request
  const gpg = ['gpg', '--batch', '--homedir', session.inside(keyDir)]
  const present = await fingerprint(session, gpg, request)
  if (present !== undefined) return present
  const parameters = join(keyDir, 'parameters')
  areaOf(keyDir, user).write(parameters, keyParameters(keyName))
  await output(session, [...gpg, '--generate-key', session.inside(parameters)], keyDir, request)
  const made = await fingerprint(session, gpg, request)
  if (made === undefined) throw buildError('E_APT_FOLDER', 'gpg made no key to sign the packages’ index with')
  return made
}

async function fingerprint(
  session: Session,
  gpg: readonly string[],
  request: AptFolderRequest,
): Promise<string | undefined> {
  if (!isFileBeneath(request.keyDir, 'pubring.kbx')) return undefined
  const argv = [...gpg, '--with-colons', '--list-secret-keys', `=${keyName}`]
  // None is a failure to gpg.
  const listed = await output(session, argv, request.keyDir, request, [0, 2])
  return /^fpr:+([0-9A-F]{40}):/m.exec(listed)?.[1]
}

async function output(
  session: Session,
  argv: readonly string[],
  cwd: string,
  { epoch, signal, line }: AptFolderRequest,
  accepted: readonly number[] = [0],
): Promise<string> {
  const out: string[] = []
  const errors: string[] = []
  const { exitCode } = await session.exec(argv, {
    cwd,
    env: { LC_ALL: 'C.UTF-8', SOURCE_DATE_EPOCH: String(epoch) },
    signal,
    onLine: (text, stream) => {
      if (stream === 'out') out.push(text)
      else {
        errors.push(text)
        line(text)
      }
    },
  })
  if (accepted.includes(exitCode)) return `${out.join('\n')}\n`
  const [program = ''] = argv
  const debianPackage = debianPackageOf(program)
  // What a shell, or the engine in its place, answers for a program that is not there.
  if ((exitCode === 126 || exitCode === 127) && debianPackage !== undefined) {
    throw infraError('E_PROGRAM_MISSING', `${program} is not installed`, {
      hint: `apt-get install ${debianPackage}, then run the same command again: what was built is kept`,
    })
  }
  const why = errors.slice(-3).join('\n  ') || `exit code ${exitCode}`
  throw buildError('E_APT_FOLDER', `${program} could not make the package folder: ${why}`)
}

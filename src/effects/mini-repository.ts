import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { cp, lstat, mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { infraError } from '../core/errors.ts'
import { atomicWrite } from './files.ts'
import { gitRaw, openGitOfUser, translatingGit } from './git.ts'

/** 2026-01-01, the date of every commit; images built from them carry it. */
const commitDate = 1_767_225_600

const branches = {
  main: { ref: 'refs/heads/main', message: 'Miniature OpenWrt, images for BIOS' },
  x86Uefi: { ref: 'refs/heads/x86_uefi', message: 'Disk images that boot by UEFI' },
} as const

/** In the repository: the digest of the files that its commits were made of. */
const digestName = 'fwbuild-fixture'

/** The commits that the branches of a miniature repository name. */
export interface MiniRepository {
  readonly main: string
  readonly x86Uefi: string
}

interface MadeRepository extends MiniRepository {
  readonly gitDir: string
}

/**
 * Makes a bare git repository of the miniature OpenWrt tree, which this project keeps as plain files:
 * branch `main` is `main/`; branch `x86_uefi` adds one commit with the new files of `x86_uefi/overlay/`
 * and the changes of `x86_uefi/changes.patch`. Author, committer and dates are fixed, so the commit ids
 * depend on nothing but the files' names, contents and executable bits. A repository that has these very
 * commits is left as it is; a half-made one is never seen under `gitDir`.
 * @param fixtureDir directory with `main/` and `x86_uefi/`
 * @param gitDir the bare repository to make or bring up to date
 * @throws infra E_MINI_TREE when the fixture is not complete or its patch does not apply, E_GIT; cancelled
 */
export async function createMiniRepository(
  fixtureDir: string,
  gitDir: string,
  signal: AbortSignal,
): Promise<MiniRepository> {
  requireFixture(fixtureDir)
  const digest = await digestOf(fixtureDir)
  const present = await presentRepository(gitDir, digest)
  if (present !== undefined) return present
  await mkdir(dirname(gitDir), { recursive: true })
  const scratch = await mkdtemp(join(dirname(gitDir), `.${basename(gitDir)}.`))
  try {
    return await translatingGit(`the miniature tree of ${fixtureDir} cannot be made`, signal, async () => {
      const made = await build(fixtureDir, scratch, signal)
      await atomicWrite(join(made.gitDir, digestName), digest)
      if (existsSync(gitDir)) await rename(gitDir, join(scratch, 'old.git'))
      await rename(made.gitDir, gitDir)
      return { main: made.main, x86Uefi: made.x86Uefi }
    })
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

function requireFixture(fixtureDir: string): void {
  for (const part of ['main/Makefile', 'x86_uefi/changes.patch', 'x86_uefi/overlay']) {
    if (existsSync(join(fixtureDir, part))) continue
    throw infraError('E_MINI_TREE', `the miniature tree lacks ${join(fixtureDir, part)}`, {
      hint: 'Restore test/fixtures/mini-openwrt of fwbuild.',
    })
  }
}

/** One digest over what the commits depend on. */
async function digestOf(fixtureDir: string): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify([commitDate, branches]))
  const entries = await readdir(fixtureDir, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => !entry.isDirectory())
  for (const path of files.map((entry) => join(entry.parentPath, entry.name)).sort()) {
    const executable = ((await lstat(path)).mode & 0o100) !== 0
    const content = await readFile(path)
    hash.update(JSON.stringify([relative(fixtureDir, path), executable, content.length])).update(content)
  }
  return hash.digest('hex')
}

/** The commits of a repository that was made of the same files; answered without git, every build asks. */
async function presentRepository(gitDir: string, digest: string): Promise<MiniRepository | undefined> {
  const read = (name: string): Promise<string | undefined> =>
    readFile(join(gitDir, name), 'utf8').then(
      (text) => text.trim(),
      () => undefined,
    )
  const main = await read(branches.main.ref)
  const x86Uefi = await read(branches.x86Uefi.ref)
  if (main === undefined || x86Uefi === undefined || (await read(digestName)) !== digest) return undefined
  return { main, x86Uefi }
}

/** The history is made in a copy of the fixture, whose `.git` then serves as bare repository. */
async function build(fixtureDir: string, scratch: string, signal: AbortSignal): Promise<MadeRepository> {
  const workTree = join(scratch, 'tree')
  const efiDir = join(fixtureDir, 'x86_uefi')
  await cp(join(fixtureDir, 'main'), workTree, { recursive: true })
  const git = openGitOfUser(workTree, { signal, indexFile: join(scratch, 'index'), commitDate })
  const commit = async (message: string, parents: readonly string[]): Promise<string> => {
    // --force: the tree's own .gitignore is about what a build makes.
    await gitRaw(git, ['-c', 'core.autocrlf=false', 'add', '--force', '--all', '.'])
    const tree = await gitRaw(git, ['write-tree'])
    return gitRaw(git, ['commit-tree', tree, ...parents.flatMap((parent) => ['-p', parent]), '-m', message])
  }
  await gitRaw(git, ['init', '--quiet'])
  const main = await commit(branches.main.message, [])

  await cp(join(efiDir, 'overlay'), workTree, { recursive: true })
  await gitRaw(git, ['apply', '--index', resolve(efiDir, 'changes.patch')])
  const x86Uefi = await commit(branches.x86Uefi.message, [main])

  await gitRaw(git, ['update-ref', branches.main.ref, main])
  await gitRaw(git, ['update-ref', branches.x86Uefi.ref, x86Uefi])
  await gitRaw(git, ['symbolic-ref', 'HEAD', branches.main.ref])
  await gitRaw(git, ['config', 'core.bare', 'true'])
  return { gitDir: join(workTree, '.git'), main, x86Uefi }
}

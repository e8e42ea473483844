import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { infraError } from '../core/errors.ts'
import { gitCommit, gitRaw, openGit, translatingGit } from './git.ts'

/** 2026-01-01, the date of every commit; images built from them carry it. */
const commitDate = 1_767_225_600

const mainBranch = 'main'
const efiBranch = 'x86_uefi'

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
  await mkdir(dirname(gitDir), { recursive: true })
  const scratch = await mkdtemp(join(dirname(gitDir), `.${basename(gitDir)}.`))
  try {
    return await translatingGit(`the miniature tree of ${fixtureDir} cannot be made`, signal, async () => {
      const made = await build(fixtureDir, scratch, signal)
      await putInPlace(made, gitDir, { signal, scratch })
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

/** The history is made in a copy of the fixture, whose `.git` then serves as bare repository. */
async function build(fixtureDir: string, scratch: string, signal: AbortSignal): Promise<MadeRepository> {
  const workTree = join(scratch, 'tree')
  const efiDir = join(fixtureDir, 'x86_uefi')
  await cp(join(fixtureDir, 'main'), workTree, { recursive: true })
  const git = openGit(workTree, { signal, indexFile: join(scratch, 'index'), commitDate })
  const commit = async (message: string, parents: readonly string[]): Promise<string> => {
    // --force: the tree's own .gitignore is about what a build makes.
    await gitRaw(git, ['-c', 'core.autocrlf=false', 'add', '--force', '--all', '.'])
    const tree = await gitRaw(git, ['write-tree'])
    return gitRaw(git, ['commit-tree', tree, ...parents.flatMap((parent) => ['-p', parent]), '-m', message])
  }
  await gitRaw(git, ['init', '--quiet'])
  const main = await commit('Miniature OpenWrt, images for BIOS', [])

  await cp(join(efiDir, 'overlay'), workTree, { recursive: true })
  await gitRaw(git, ['apply', '--index', resolve(efiDir, 'changes.patch')])
  const x86Uefi = await commit('Disk images that boot by UEFI', [main])

  await gitRaw(git, ['update-ref', `refs/heads/${mainBranch}`, main])
  await gitRaw(git, ['update-ref', `refs/heads/${efiBranch}`, x86Uefi])
  await gitRaw(git, ['symbolic-ref', 'HEAD', `refs/heads/${mainBranch}`])
  await gitRaw(git, ['config', 'core.bare', 'true'])
  return { gitDir: join(workTree, '.git'), main, x86Uefi }
}

async function putInPlace(
  made: MadeRepository,
  gitDir: string,
  options: { readonly signal: AbortSignal; readonly scratch: string },
): Promise<void> {
  if (existsSync(gitDir)) {
    const present = openGit(gitDir, options)
    const main = await gitCommit(present, `refs/heads/${mainBranch}`)
    const x86Uefi = await gitCommit(present, `refs/heads/${efiBranch}`)
    if (main === made.main && x86Uefi === made.x86Uefi) return
    await rename(gitDir, join(options.scratch, 'old.git'))
  }
  await rename(made.gitDir, gitDir)
}

import { createHash } from 'node:crypto'
import { chmod, lstat, lutimes, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { buildError } from '../../core/errors.ts'
import {
  renderControl,
  renderMaintainerScript,
  type DebControl,
  type DebFile,
  type MaintainerScripts,
} from '../../core/host/deb-control.ts'
import { giveTo } from '../../effects/build-user.ts'
import type { BuildUser, Session } from '../../effects/engine.ts'
import { removeTree } from '../../effects/files.ts'

export interface DebRequest {
  /** Holds the files of the package as on the machine where it is installed; below one of the session's mounts. */
  readonly stageDir: string
  /** Where the package goes; made when missing, below one of the session's mounts. */
  readonly outDir: string
  readonly control: DebControl
  readonly scripts?: MaintainerScripts
  /** Date of all that is in the package: seconds since 1970. */
  readonly epoch: number
  readonly user: BuildUser
  readonly signal: AbortSignal
  readonly line: (text: string) => void
}

/** Writes files of data into a stage that is emptied before. */
export async function stageFiles(stageDir: string, files: readonly DebFile[]): Promise<void> {
  await removeTree(stageDir)
  for (const { path, content, mode = 0o644 } of files) {
    const target = join(stageDir, path)
    await mkdir(dirname(target), { recursive: true })
    await writeFile(target, content)
    await chmod(target, mode)
  }
}

/**
 * Makes a package with dpkg-deb. The same stage gives the same bytes: names are sorted by dpkg-deb, owners are
 * root, and times, modes of folders and the compression do not depend on the machine.
 * @returns path of the package
 * @throws usage E_DEB_FIELD, build E_DEB_BUILD, cancelled
 */
export async function buildDeb(session: Session, request: DebRequest): Promise<string> {
  const { stageDir, outDir, control, epoch, signal, user } = request
  const information = join(stageDir, 'DEBIAN')
  await removeTree(information)
  const content = await survey(stageDir)
  const texts = [
    ['control', renderControl(control, content.installedKib), 0o644],
    ['md5sums', content.md5sums, 0o644],
    ...Object.entries(request.scripts ?? {}).map(
      ([name, actions]) => [name, renderMaintainerScript(actions), 0o755] as const,
    ),
  ] as const
  await mkdir(information)
  for (const [name, text, mode] of texts) {
    await writeFile(join(information, name), text)
    await chmod(join(information, name), mode)
  }
  await levelOut(stageDir, epoch)
  await mkdir(outDir, { recursive: true })
  await giveTo(outDir, user)
  await giveTo(stageDir, user)
  const version = control.version.replace(/^\d+:/, '')
  const path = join(outDir, `${control.name}_${version}_${control.architecture ?? 'amd64'}.deb`)
  const said: string[] = []
  const { exitCode } = await session.exec(
    ['dpkg-deb', '--root-owner-group', '-Zxz', '--build', session.inside(stageDir), session.inside(path)],
    {
      cwd: outDir,
      // How xz cuts its blocks depends on the number of threads; by variable, as older ones have no option.
      env: { SOURCE_DATE_EPOCH: String(epoch), DPKG_DEB_THREADS_MAX: '1', LC_ALL: 'C.UTF-8' },
      signal,
      onLine: (line) => {
        said.push(line)
        request.line(line)
      },
    },
  )
  if (exitCode === 0) return path
  throw buildError('E_DEB_BUILD', `dpkg-deb made no ${control.name}: ${said.slice(-3).join('\n  ')}`)
}

interface Survey {
  readonly installedKib: number
  readonly md5sums: string
}

/** Size as policy 5.6.20 counts it (each entry rounded up to KiB), and the sums that debsums reads. */
async function survey(stageDir: string): Promise<Survey> {
  let installedKib = 0
  const sums: string[] = []
  for (const path of await entriesOf(stageDir)) {
    const stats = await lstat(join(stageDir, path))
    installedKib += stats.isFile() ? Math.ceil(stats.size / 1024) : 1
    if (!stats.isFile()) continue
    const md5 = createHash('md5').update(await readFile(join(stageDir, path)))
    sums.push(`${md5.digest('hex')}  ${path}\n`)
  }
  return { installedKib, md5sums: sums.join('') }
}

/** Paths below a folder, sorted. */
async function entriesOf(root: string): Promise<readonly string[]> {
  const entries = await readdir(root, { withFileTypes: true, recursive: true })
  return entries.map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1)).sort()
}

/** The caller's umask and the moment must not show. */
async function levelOut(stageDir: string, epoch: number): Promise<void> {
  for (const path of [...(await entriesOf(stageDir)), '']) {
    const full = join(stageDir, path)
    const stats = await lstat(full)
    if (!stats.isSymbolicLink()) {
      const executable = stats.isDirectory() || (stats.mode & 0o100) !== 0
      await chmod(full, executable ? 0o755 : 0o644)
    }
    await lutimes(full, epoch, epoch)
  }
}

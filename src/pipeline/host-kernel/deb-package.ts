import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { buildError } from '../../core/errors.ts'
import {
  renderControl,
  renderMaintainerScript,
  type DebControl,
  type DebFile,
  type MaintainerScripts,
} from '../../core/host/deb-control.ts'
import type { BuildArea } from '../../effects/beneath/area.ts'
import type { Session } from '../../effects/engine.ts'
import { requireSuccess } from './session-output.ts'

export interface DebRequest {
  /** Holds both folders. */
  readonly area: BuildArea
  /** Holds the files of the package as on the machine where it is installed; below one of the session's mounts. */
  readonly stageDir: string
  /** Where the package goes; made when missing, below one of the session's mounts. */
  readonly outDir: string
  readonly control: DebControl
  readonly scripts?: MaintainerScripts
  /** Date of all that is in the package: seconds since 1970. */
  readonly epoch: number
  readonly signal: AbortSignal
  readonly line: (text: string) => void
}

/** Writes files of data into a stage that is emptied before. */
export async function stageFiles(
  area: BuildArea,
  stageDir: string,
  files: readonly DebFile[],
): Promise<void> {
  await area.remove(stageDir)
  for (const { path, content, mode } of files) area.write(join(stageDir, path), content, mode)
}

/**
 * Makes a package with dpkg-deb. The same stage gives the same bytes: names are sorted by dpkg-deb, owners are
 * root, and times, modes of folders and the compression do not depend on the machine.
 * @returns path of the package
 * @throws usage E_DEB_FIELD, build E_DEB_BUILD, cancelled
 */
export async function buildDeb(session: Session, request: DebRequest): Promise<string> {
  const { area, stageDir, outDir, control, epoch, signal } = request
  const information = join(stageDir, 'DEBIAN')
  await area.remove(information)
  const content = survey(area, stageDir)
  const texts = [
    ['control', renderControl(control, content.installedKib), 0o644],
    ['md5sums', content.md5sums, 0o644],
    ...Object.entries(request.scripts ?? {}).map(
      ([name, actions]) => [name, renderMaintainerScript(actions), 0o755] as const,
    ),
  ] as const
  for (const [name, text, mode] of texts) area.write(join(information, name), text, mode)
  area.makeFolder(outDir)
  await levelOut(session, request)
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
function survey(area: BuildArea, stageDir: string): Survey {
  let installedKib = 0
  const sums: string[] = []
  for (const path of area.entriesBelow(stageDir)) {
    const stats = area.stat(join(stageDir, path))
    installedKib += stats?.isFile() === true ? Math.ceil(stats.size / 1024) : 1
    if (stats?.isFile() !== true) continue
    const md5 = createHash('md5').update(area.read(join(stageDir, path)) ?? '')
    sums.push(`${md5.digest('hex')}  ${path}\n`)
  }
  return { installedKib, md5sums: sums.join('') }
}

/** The caller's umask and the moment must not show. */
async function levelOut(session: Session, { stageDir, epoch, signal }: DebRequest): Promise<void> {
  const run = (words: readonly string[]): Promise<unknown> =>
    requireSuccess(session, ['find', session.inside(stageDir), ...words], { cwd: stageDir, signal })
  await run(['-type', 'd', '-exec', 'chmod', '755', '{}', '+'])
  await run(['-type', 'f', '-perm', '-100', '-exec', 'chmod', '755', '{}', '+'])
  await run(['-type', 'f', '!', '-perm', '-100', '-exec', 'chmod', '644', '{}', '+'])
  await run(['-depth', '-exec', 'touch', '-h', '-d', `@${epoch}`, '{}', '+'])
}

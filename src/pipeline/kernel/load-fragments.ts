import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { messageOf, usageError } from '../../core/errors.ts'
import { readConfigText } from '../../effects/config-files.ts'

export interface LoadedFragment {
  /** As named to the user. */
  readonly file: string
  readonly text: string
  readonly sha256: string
  readonly own: boolean
}

/**
 * Fragments of this project by name (`hv/kvm`), then the user's by path, in that order.
 * @throws usage E_FRAGMENT_MISSING
 */
export async function loadFragmentFiles(
  project: string,
  own: readonly string[],
  given: readonly string[],
): Promise<readonly LoadedFragment[]> {
  const folder = 'kconfig-fragments'
  const files = [
    ...own.map((name) => ({
      file: `${folder}/${name}.config`,
      path: join(project, folder, `${name}.config`),
      own: true,
    })),
    ...given.map((path) => ({ file: path, path, own: false })),
  ]
  return Promise.all(
    files.map(async ({ file, path, own: isOwn }) => {
      const text = await readText(path)
      return { file, text, own: isOwn, sha256: createHash('sha256').update(text).digest('hex') }
    }),
  )
}

async function readText(path: string): Promise<string> {
  try {
    return await readConfigText(path)
  } catch (cause) {
    throw usageError('E_FRAGMENT_MISSING', `the fragment ${path} cannot be read`, {
      cause,
      hint: `${messageOf(cause)}; check --fragment`,
    })
  }
}

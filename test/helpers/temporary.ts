import { chmod, mkdtemp } from 'node:fs/promises'
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { removeTree } from '../../src/effects/files.ts'

/** A directory of the test's own, gone after it; the build user may enter it. */
export async function temporaryDirectory(t: ExecutionContext): Promise<string> {
  const directory = await mkdtemp(join(realpathSync(tmpdir()), 'fwbuild-test-'))
  await chmod(directory, 0o755)
  t.teardown(() => removeTree(directory))
  return directory
}

/** Makes directories for the tests of one file; all are removed after them. */
export function temporaryFolders(): () => string {
  const made: string[] = []
  test.after.always(() => {
    for (const folder of made) rmSync(folder, { recursive: true, force: true })
  })
  return () => {
    const folder = mkdtempSync(join(tmpdir(), 'fwbuild-test-'))
    made.push(folder)
    return folder
  }
}

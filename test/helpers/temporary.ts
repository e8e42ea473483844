import { chmod, mkdtemp } from 'node:fs/promises'
import { realpathSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { removeTree } from '../../src/effects/files.ts'

/** A directory of the test's own, gone after it; the build user may enter it. */
export async function temporaryDirectory(t: ExecutionContext): Promise<string> {
  const directory = await mkdtemp(join(realpathSync(tmpdir()), 'fwbuild-test-'))
  await chmod(directory, 0o755)
  t.teardown(() => removeTree(directory))
  return directory
}

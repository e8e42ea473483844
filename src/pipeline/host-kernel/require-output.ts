import { existsSync, statSync } from 'node:fs'
import { access, constants, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { infraError, messageOf, usageError } from '../../core/errors.ts'
import { repositoryFiles } from '../../core/host/apt-repository.ts'

/**
 * Looks whether the results can go to a folder, and changes nothing: hours of compiling are not to end there.
 * @throws usage E_OUTPUT_TAKEN: something that fwbuild did not make would be replaced; infra E_FILE
 */
export async function requireOutput(output: string): Promise<void> {
  let there = output
  while (!existsSync(there)) there = dirname(there)
  if (!statSync(there).isDirectory()) throw taken(there, 'no folder')
  requireOwnFolder(join(output, 'apt'))
  const script = join(output, 'install.sh')
  if (existsSync(script) && !(await readFile(script, 'utf8')).includes('Made by fwbuild')) {
    throw taken(script, 'no install.sh of fwbuild')
  }
  try {
    await access(there, constants.W_OK)
  } catch (error) {
    throw infraError('E_FILE', `--output: cannot write to ${there}: ${messageOf(error)}`, { cause: error })
  }
}

/** @throws usage E_OUTPUT_TAKEN for a package folder that fwbuild did not make */
export function requireOwnFolder(path: string): void {
  if (existsSync(path) && !existsSync(join(path, repositoryFiles.sources))) {
    throw taken(path, 'no package folder of fwbuild')
  }
}

const taken = (path: string, what: string): Error =>
  usageError('E_OUTPUT_TAKEN', `${path} is there and is ${what}`, {
    hint: 'name another folder with --output',
  })

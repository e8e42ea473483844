import * as fs from 'node:fs'
import path from 'node:path'
import { infraError, messageOf, usageError } from '../core/errors.ts'
import { parsePatch } from '../core/patch/parse.ts'
import type { NamedPatch } from '../core/patch/series.ts'

/**
 * Reads patches; a directory stands for its quilt `series` file, or else all its *.patch and *.diff files
 * in order of name.
 * @throws FwbuildError (usage, E_PATCH_FILE) when a name can not be read
 */
export function readPatches(names: readonly string[], cwd: string): NamedPatch[] {
  return names.flatMap((name) => {
    const file = path.resolve(cwd, name)
    try {
      const found = fs.statSync(file).isDirectory()
        ? patchesIn(file).map((one) => path.join(name, one))
        : [name]
      return found.map((one) => ({
        name: one,
        patch: parsePatch(fs.readFileSync(path.resolve(cwd, one), 'latin1')),
      }))
    } catch (error) {
      throw usageError('E_PATCH_FILE', `${name} can not be read: ${messageOf(error)}`, { cause: error })
    }
  })
}

function patchesIn(folder: string): string[] {
  const names = fs.readdirSync(folder).sort()
  const series = names.includes('series') ? seriesNames(path.join(folder, 'series')) : undefined
  return series ?? names.filter((name) => /\.(patch|diff)$/.test(name))
}

const seriesNames = (file: string): string[] =>
  fs
    .readFileSync(file, 'utf8')
    .split('\n')
    .map(
      (line) =>
        line
          .replace(/\s*#.*/, '')
          .trim()
          .split(/\s+/)[0] ?? '',
    )
    .filter((name) => name !== '')

/**
 * Writes a text (binary string) as a whole or not at all.
 * @throws FwbuildError (infra, E_PATCH_WRITE)
 */
export function writeText(file: string, text: string): void {
  const temporary = `${file}.${process.pid}.tmp`
  try {
    fs.mkdirSync(path.dirname(file), { recursive: true })
    fs.writeFileSync(temporary, text, 'latin1')
    fs.renameSync(temporary, file)
  } catch (error) {
    fs.rmSync(temporary, { force: true })
    throw infraError('E_PATCH_WRITE', `${file} can not be written: ${messageOf(error)}`, { cause: error })
  }
}

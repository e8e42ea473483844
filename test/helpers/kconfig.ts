import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ChoiceModel, KconfigTree } from '../../src/core/kconfig/tree/model.ts'
import { readKconfigTree, type KconfigHost } from '../../src/core/kconfig/tree/parser.ts'

/** Reads a tree given as file name to text, without a shell. */
export function treeOf(
  files: Readonly<Record<string, string>>,
  choiceModel: ChoiceModel = 'menu',
): KconfigTree {
  return readKconfigTree(
    'Kconfig',
    { readFile: (path) => files[path], glob: () => [], env: () => undefined, shell: () => '' },
    choiceModel,
  )
}

/** The simplest tree: one file, `modules` on. */
export const kconfig = (text: string): KconfigTree =>
  treeOf({ Kconfig: `config MODULES\n\tdef_bool y\n\tmodules\n\n${text}` })

/** Reads a fixture folder, with a real shell. */
export function fixtureTree(folder: string, choiceModel: ChoiceModel): KconfigTree {
  const env: Readonly<Record<string, string>> = { FIXTURE_ENV: 'from-outside', SRCARCH: 'box' }
  const host: KconfigHost = {
    readFile: (path) =>
      existsSync(join(folder, path)) ? readFileSync(join(folder, path), 'utf8') : undefined,
    glob: (pattern) => {
      const slash = pattern.lastIndexOf('/')
      const matcher = new RegExp(
        `^${pattern
          .slice(slash + 1)
          .replaceAll('.', '\\.')
          .replaceAll('*', '.*')}$`,
      )
      const parent = pattern.slice(0, slash)
      return readdirSync(join(folder, parent))
        .filter((name) => matcher.test(name))
        .sort()
        .map((name) => `${parent}/${name}`)
    },
    env: (name) => env[name],
    shell: (command) => execFileSync('/bin/sh', ['-c', command], { cwd: folder, encoding: 'utf8' }),
  }
  return readKconfigTree('Kconfig', host, choiceModel)
}

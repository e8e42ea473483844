import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Root of this project: fragments, patches, feeds and the fixture tree lie there. dist/src/commands → root. */
export const projectDir = join(dirname(fileURLToPath(import.meta.url)), '../../..')

/** Of package.json. */
export const toolVersion = (
  JSON.parse(readFileSync(join(projectDir, 'package.json'), 'utf8')) as { readonly version: string }
).version

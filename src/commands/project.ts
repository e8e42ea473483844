import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Root of this project: fragments, patches, feeds and the fixture tree lie there. dist/src/commands → root. */
export const projectDir = join(dirname(fileURLToPath(import.meta.url)), '../../..')

export const toolVersion = '0.1.0'

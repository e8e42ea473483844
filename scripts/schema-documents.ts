import { z } from 'zod'
import { hostManifestSchema } from '../src/core/manifest/host-manifest.ts'
import { manifestSchema } from '../src/core/manifest/manifest.ts'
import { fileSchema } from '../src/core/spec/options.ts'

/** A JSON Schema of docs/, by its file name. */
export interface SchemaDocument {
  readonly file: string
  readonly text: string
}

const documents = [
  [
    'fwbuild.schema.json',
    'fwbuild.yaml',
    'Settings of fwbuild; flags and FWBUILD_* variables beat them.',
    fileSchema,
  ],
  [
    'manifest.schema.json',
    'manifest.json',
    'What was built, of what, and what was seen to work.',
    manifestSchema,
  ],
  [
    'host-manifest.schema.json',
    'manifest.json of a host kernel',
    'What was built, of what, and what was seen to work.',
    hostManifestSchema,
  ],
] as const

/** JSON Schemas (draft 2020-12) of the files that users write and read. */
export function schemaDocuments(): readonly SchemaDocument[] {
  return documents.map(([file, title, description, schema]) => {
    const { $schema, ...rest } = z.toJSONSchema(schema, { io: 'input' })
    return { file, text: `${JSON.stringify({ $schema, title, description, ...rest }, null, 2)}\n` }
  })
}

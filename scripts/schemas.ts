import { join } from 'node:path'
import { atomicWrite } from '../src/effects/files.ts'
import { schemaDocuments } from './schema-documents.ts'

/** `npm run schemas`: writes the JSON Schemas of docs/ anew. */
for (const { file, text } of schemaDocuments()) await atomicWrite(join('docs', file), text)

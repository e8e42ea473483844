import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { schemaDocuments } from '../../scripts/schema-documents.ts'
import { openwrtOptions } from '../../src/core/spec/options.ts'

for (const { file, text } of schemaDocuments()) {
  test(`docs/${file} is current (npm run schemas)`, async (t) => {
    t.is(await readFile(join('docs', file), 'utf8'), text)
  })
}

test('every option of fwbuild.yaml is described, nothing unknown is allowed', (t) => {
  const [document] = schemaDocuments()
  const schema = JSON.parse(document?.text ?? '') as {
    additionalProperties: boolean
    properties: {
      openwrt: { additionalProperties: boolean; properties: Record<string, { description?: string }> }
    }
  }
  t.false(schema.additionalProperties)
  t.false(schema.properties.openwrt.additionalProperties)
  const { properties } = schema.properties.openwrt
  t.deepEqual(Object.keys(properties), Object.keys(openwrtOptions))
  for (const [name, { description }] of Object.entries(properties)) t.truthy(description, name)
})

import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { downloadFile } from '../../../src/effects/http.ts'
import { temporaryDirectory } from '../../helpers/temporary.ts'

const content = Buffer.alloc(300_000, 'fwbuild ')
const sha256 = createHash('sha256').update(content).digest('hex')
const maxBytes = 1_000_000

async function serve(t: ExecutionContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/file`
}

test('a file with its hash gets its name', async (t) => {
  const folder = await temporaryDirectory(t)
  const url = await serve(t, (_, response) => void response.end(content))
  await downloadFile(url, join(folder, 'file'), { sha256, signal: new AbortController().signal })
  t.deepEqual(await readFile(join(folder, 'file')), content)
})

const faults: Readonly<Record<string, readonly [code: string, words: RegExp, listener: RequestListener]>> = {
  'another content': ['E_HASH', /sha256 [0-9a-f]{64}\n {2}wanted/, (_, response) => void response.end('x')],
  'a server that never ends': [
    'E_DOWNLOAD',
    /more than 1000000 bytes came/,
    (_, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write(content));
        if (!response.destroyed) response.once('drain', more)
      }
      more()
    },
  ],
  'a connection that is cut': [
    'E_DOWNLOAD',
    /could not be downloaded/,
    (_, response) => {
      response.writeHead(200, { 'content-length': content.length })
      response.write(content.subarray(0, 1000), () => response.destroy())
    },
  ],
  'a missing file': ['E_DOWNLOAD', /404/, (_, response) => void response.writeHead(404).end()],
}

for (const [what, [code, words, listener]] of Object.entries(faults)) {
  test(`work without bound: ${what} ends with its message, and nothing stays`, async (t) => {
    const folder = await temporaryDirectory(t)
    const url = await serve(t, listener)
    const signal = new AbortController().signal
    const error = await t.throwsAsync(downloadFile(url, join(folder, 'file'), { sha256, maxBytes, signal }), {
      code,
    })
    t.regex(error?.message ?? '', words)
    t.deepEqual(await readdir(folder), [])
  })
}

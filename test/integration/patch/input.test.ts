import { spawn, spawnSync } from 'node:child_process'
import * as fs from 'node:fs'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import test from 'ava'
import { cli } from '../../helpers/cli.ts'
import { temporaryFolders } from '../../helpers/temporary.ts'

const folder = temporaryFolders()
const fine = '--- a/f\n+++ b/f\n@@ -1 +1 @@\n-one\n+two\n'

interface Run {
  readonly code: number | null
  readonly stderr: string
}

/** Runs the command line by a shell, for what only that can hand over. */
function shell(script: string, cwd: string): Promise<Run> {
  const env = { ...process.env, NODE: process.execPath, FWBUILD: resolve('dist/src/cli.js') }
  const child = spawn('bash', ['-c', script], {
    cwd,
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: 60_000,
  })
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => void (stderr += chunk.toString()))
  return new Promise((done) => child.on('close', (code) => done({ code, stderr })))
}

function tree(): string {
  const root = folder()
  fs.writeFileSync(join(root, 'f'), 'one\n')
  return root
}

test('a device, a folder or a socket is no patch, wherever it is named; nothing waits for it', async (t) => {
  const [root, box] = [tree(), folder()]
  const socket = join(box, 'socket.patch')
  const server = createServer().listen(socket)
  fs.symlinkSync('/dev/zero', join(box, 'zero.patch'))
  fs.mkdirSync(join(box, 'dir.patch'))
  fs.writeFileSync(join(box, 'series'), 'dir.patch\n')
  fs.mkdirSync(join(box, 'inner/a.patch'), { recursive: true })
  try {
    for (const name of [
      '/dev/zero',
      '/dev/null',
      '/dev/tty',
      socket,
      join(box, 'zero.patch'),
      join(box, 'series'),
    ]) {
      const { exitCode, stderr } = await cli(['patch', 'apply', '--tree', root, name])
      t.is(exitCode, 2, `${name}: ${stderr}`)
      t.regex(stderr, /E_PATCH_KIND|no regular file/)
    }
    const inner = await cli(['patch', 'check', '--tree', root, join(box, 'inner')])
    t.is(inner.exitCode, 2)
    t.regex(inner.stderr, /a\.patch can be no patch/)
  } finally {
    server.close()
  }
})

test('a FIFO that nobody writes to is empty; one that a shell fills is read to its end', async (t) => {
  const [root, box] = [tree(), folder()]
  t.is(spawnSync('mkfifo', [join(box, 'pipe.patch')]).status, 0)
  const empty = await cli(['patch', 'apply', '--tree', root, join(box, 'pipe.patch')])
  t.is(empty.exitCode, 2)
  t.regex(empty.stderr, /holds no patch/)
  fs.writeFileSync(join(box, 'fine'), fine)
  t.is((await shell(`exec "$NODE" "$FWBUILD" patch apply --tree ${root} <(cat fine)`, box)).code, 0)
  t.is(fs.readFileSync(join(root, 'f'), 'utf8'), 'two\n')
})

test('input without an end is limited and told', async (t) => {
  const root = tree()
  for (const script of ['- </dev/zero', '<(cat /dev/zero)']) {
    const { code, stderr } = await shell(`exec "$NODE" "$FWBUILD" patch apply --tree ${root} ${script}`, root)
    t.is(code, 2, script)
    t.regex(stderr, /too large for a patch/)
  }
  fs.truncateSync(join(root, 'f'), 1)
  fs.writeFileSync(join(root, 'huge.patch'), '')
  fs.truncateSync(join(root, 'huge.patch'), 2 ** 40)
  t.is((await cli(['patch', 'check', '--tree', root, join(root, 'huge.patch')])).exitCode, 2)
})

test('a series that names one large patch many times is limited as a whole', async (t) => {
  const root = tree()
  fs.writeFileSync(join(root, 'big.patch'), `${'text'.repeat(10_000_000)}${fine}`)
  fs.writeFileSync(join(root, 'series'), 'big.patch\n'.repeat(1000))
  const { exitCode, stderr } = await cli(['patch', 'check', '--tree', root, join(root, 'series')])
  t.is(exitCode, 2)
  t.regex(stderr, /too large/)
})

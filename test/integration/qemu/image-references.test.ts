import { spawnSync } from 'node:child_process'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { ImageFormat } from '../../../src/core/image/formats.ts'
import { requireWholeImage } from '../../../src/effects/image-references.ts'
import { cli } from '../../helpers/cli.ts'
import { never, sessionUser } from '../../helpers/host-session.ts'
import { needProgram, testWith } from '../../helpers/need.ts'
import { temporaryDirectory } from '../../helpers/temporary.ts'

const needs = [needProgram('qemu-img'), needProgram('prlimit')]

function qemuImg(...args: readonly string[]): void {
  const { status, stderr } = spawnSync('qemu-img', args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
}

const check = (path: string, format: ImageFormat, notes: string[] = []): Promise<void> =>
  requireWholeImage(path, format, { signal: never, as: sessionUser, note: (text) => notes.push(text) })

const refused = { code: 'E_IMAGE_NAMES_FILES' }

/** Images that have part of their disk elsewhere, as QEMU itself makes them. */
const partial: Readonly<Record<string, readonly [ImageFormat, readonly string[]]>> = {
  'a backing file': ['qcow2', ['-b', '/etc/passwd', '-F', 'raw', '-u', 'IMAGE', '1M']],
  'a backing file by protocol': ['qcow2', ['-b', 'nbd://127.0.0.1:1/x', '-F', 'raw', '-u', 'IMAGE', '1M']],
  'a backing file in JSON': ['qcow2', ['-b', 'json:{"driver":"null-co"}', '-F', 'raw', '-u', 'IMAGE', '1M']],
  'an external data file': ['qcow2', ['-o', 'data_file=DATA', 'IMAGE', '1M']],
  'a flat extent': ['vmdk', ['-o', 'subformat=monolithicFlat', 'IMAGE', '1M']],
  'sparse extents of 2 GB': ['vmdk', ['-o', 'subformat=twoGbMaxExtentSparse', 'IMAGE', '1M']],
}

for (const [what, [format, args]] of Object.entries(partial)) {
  testWith(needs, `an image with ${what} is refused`, async (t) => {
    const folder = await temporaryDirectory(t)
    const path = join(folder, `x.${format}`)
    const words = args.map((word) => word.replace('IMAGE', path).replace('DATA', join(folder, 'data')))
    qemuImg('create', '-q', '-f', format, ...words)
    await t.throwsAsync(check(path, format), refused)
    const { exitCode, stderr } = await cli(['verify', path], { cwd: folder })
    t.is(exitCode, 2, stderr)
    t.regex(stderr, /does not hold its whole disk/)
  })
}

testWith(needs, 'a VMDK with a parent, and one whose header has no capacity, are refused', async (t) => {
  const path = await whole(t, 'vmdk')
  const image = readFileSync(path)
  const withParent = Buffer.from(image)
  const descriptor = withParent.indexOf('# Extent description')
  withParent.write('parentFileNameHint="/etc/passwd"\n', descriptor)
  writeFileSync(path, withParent)
  await t.throwsAsync(check(path, 'vmdk'), refused)
  const empty = Buffer.from(image)
  empty.writeBigUInt64LE(0n, 12)
  writeFileSync(path, empty)
  await t.throwsAsync(check(path, 'vmdk'), refused)
})

async function whole(t: ExecutionContext, format: ImageFormat): Promise<string> {
  const path = join(await temporaryDirectory(t), `json:{nbd:x,y}.${format}`)
  qemuImg('create', '-q', '-f', format, `file:${path}`, '1M')
  return path
}

for (const format of ['qcow2', 'vmdk', 'vhdx', 'vpc', 'vdi'] as const) {
  testWith(needs, `a whole ${format} is taken, whatever its name; what is none is not`, async (t) => {
    const path = await whole(t, format)
    await t.notThrowsAsync(check(path, format))
    const notes: string[] = []
    chmodSync(path, 0o600)
    await t.notThrowsAsync(check(path, format, notes))
    t.is(notes.length, process.getuid?.() === 0 ? 1 : 0)
    writeFileSync(path, 'no image')
    await t.throwsAsync(check(path, format), { code: 'E_IMAGE_UNREADABLE' })
  })
}

test('a raw image is never looked into', async (t) => {
  const path = join(await temporaryDirectory(t), 'x.img')
  writeFileSync(path, 'QFI\xfb and more', 'latin1')
  await t.notThrowsAsync(check(path, 'raw'))
})

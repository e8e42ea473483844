import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { FwbuildError } from '../../../src/core/errors.ts'
import { imageFormats } from '../../../src/core/image/formats.ts'
import { convertImage, sameContent } from '../../../src/effects/qemu-img.ts'
import { runProcess } from '../../../src/effects/process.ts'
import { sessionUser } from '../../helpers/host-session.ts'
import { needProgram, testWith } from '../../helpers/need.ts'

let directory = ''
test.before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fwbuild-qemu-img-'))
})
test.after.always(() => rm(directory, { recursive: true, force: true }))

const qemuImg = needProgram('qemu-img')

async function rawImage(name: string, bytes: number): Promise<string> {
  const path = join(directory, name)
  const disk = Buffer.alloc(bytes)
  randomBytes(100_000).copy(disk, 4096)
  disk.write('the last sector', bytes - 512)
  await writeFile(path, disk)
  return path
}

for (const format of imageFormats) {
  testWith([qemuImg], `raw to ${format} holds the same disk`, async (t) => {
    const from = await rawImage(`${format}-from`, (8 << 20) + 512)
    const to = join(directory, `converted.${format}`)
    await convertImage(from, format, to, { as: sessionUser })
    t.is((await stat(to)).uid, process.getuid?.() ?? 0)
    t.is((await stat(to)).mode & 0o777, 0o644)
    const info = JSON.parse(
      (await runProcess(['qemu-img', 'info', '-f', format, '--output=json', to])).stdout,
    ) as { 'virtual-size': number; format: string }
    t.is(info.format, format)
    t.is(info['virtual-size'], format === 'vpc' ? 9 << 20 : (8 << 20) + 512)
    t.true(await sameContent({ path: from, format: 'raw' }, { path: to, format }))
    t.deepEqual(
      (await readdir(directory)).filter((name) => name.endsWith('.tmp')),
      [],
    )
  })
}

testWith([qemuImg], 'a fixed VHD ends in its footer behind whole mebibytes', async (t) => {
  const to = join(directory, 'azure.vhd')
  await convertImage(await rawImage('azure', 5 << 20), 'vpc', to)
  t.is((await stat(to)).size, (5 << 20) + 512)
})

testWith([qemuImg], 'a vmdk is streamOptimized for an lsilogic adapter', async (t) => {
  const to = join(directory, 'esxi.vmdk')
  await convertImage(await rawImage('esxi', 1 << 20), 'vmdk', to)
  const { stdout } = await runProcess([
    'grep',
    '-a',
    '-o',
    'createType="[A-Za-z]*"\\|ddb.adapterType = "[a-z]*"',
    to,
  ])
  t.is(stdout, 'createType="streamOptimized"\nddb.adapterType = "lsilogic"\n')
})

testWith([qemuImg], 'different disks and unreadable ones are told apart', async (t) => {
  const left = { path: await rawImage('left', 1 << 20), format: 'raw' } as const
  const right = { path: await rawImage('right', 1 << 20), format: 'raw' } as const
  t.false(await sameContent(left, right))
  const error = await t.throwsAsync(sameContent(left, { ...right, format: 'qcow2' }), {
    instanceOf: FwbuildError,
  })
  t.is(error.code, 'E_IMAGE_COMPARE')
})

testWith([qemuImg], 'an abort leaves neither output nor temporary', async (t) => {
  const from = join(directory, 'large')
  await runProcess(['dd', 'if=/dev/urandom', `of=${from}`, 'bs=1M', 'count=128', 'status=none'])
  const controller = new AbortController()
  setTimeout(() => controller.abort(), 300)
  const to = join(directory, 'aborted.vmdk')
  await t.throwsAsync(convertImage(from, 'vmdk', to, { signal: controller.signal }), {
    message: 'interrupted',
  })
  t.deepEqual(
    (await readdir(directory)).filter((name) => name.startsWith('aborted')),
    [],
  )
})

testWith([qemuImg], 'a full file system is told as such', async (t) => {
  const from = await rawImage('full', 4 << 20)
  // /dev/full answers every write with "no space left"; a link in the temporary's place is not possible,
  // so a small file system stands in.
  const small = join(directory, 'small')
  await runProcess(['mkdir', small])
  const mounted = await runProcess(['mount', '-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', small])
  if (mounted.exitCode !== 0) {
    t.log('not allowed to mount here')
    t.pass()
    return
  }
  try {
    const error = await t.throwsAsync(convertImage(from, 'qcow2', join(small, 'x.qcow2')), {
      instanceOf: FwbuildError,
    })
    t.is(error.code, 'E_DISK_FULL')
    t.deepEqual(await readdir(small), [])
  } finally {
    await runProcess(['umount', small])
  }
})

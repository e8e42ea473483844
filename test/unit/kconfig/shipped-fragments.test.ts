import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { parseFragment } from '../../../src/core/kconfig/fragment.ts'
import { mergeFragments } from '../../../src/core/kconfig/merge.ts'
import { selectForKernel } from '../../../src/core/kconfig/select.ts'

const root = 'kconfig-fragments'
const kernels = ['4.4', '4.14', '5.4', '5.10', '5.15', '6.1', '6.6', '6.12', '6.18']

async function shipped(folders: readonly string[]) {
  const files: string[] = []
  for (const folder of folders)
    for (const name of (await readdir(join(root, folder))).sort()) files.push(join(root, folder, name))
  return Promise.all(files.map(async (file) => parseFragment(await readFile(file, 'utf8'), file)))
}

test('every shipped fragment reads, and every group says its purpose', async (t) => {
  const fragments = await shipped(['hv', 'share', 'host'])
  t.is(fragments.length, 14)
  for (const fragment of fragments)
    for (const group of fragment.groups)
      t.not(group.purpose, '', `${fragment.file} has a group without purpose`)
})

for (const kernel of kernels)
  test(`guest fragments agree with each other on ${kernel}`, async (t) => {
    const fragments = await shipped(['hv', 'share'])
    const merged = mergeFragments(
      fragments.map((fragment) => ({
        assignments: selectForKernel(fragment, kernel).assignments,
        literal: false,
      })),
    )
    t.deepEqual(merged.redefinitions, [])
    t.true(merged.assignments.length > 40)
  })

test('what a kernel cannot have is not asked of it', async (t) => {
  const symbols = async (kernel: string) =>
    new Set(
      (await shipped(['hv', 'share'])).flatMap((fragment) =>
        selectForKernel(fragment, kernel).assignments.map((assignment) => assignment.symbol),
      ),
    )
  const oldest = await symbols('4.4.194')
  for (const symbol of ['PCI_HYPERV', 'VIRTIO_FS', 'HYPERV_VMBUS', 'HYPERV_VSOCKETS'])
    t.false(oldest.has(symbol))
  const newest = await symbols('6.18.44')
  for (const symbol of ['PCI_HYPERV', 'VIRTIO_FS', 'HYPERV_VMBUS', 'HYPERV_VSOCKETS'])
    t.true(newest.has(symbol))
})

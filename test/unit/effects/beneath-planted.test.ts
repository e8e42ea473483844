import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import test from 'ava'
import { FwbuildError } from '../../../src/core/errors.ts'
import { giveBeneath } from '../../../src/effects/beneath/give.ts'
import { kindBeneath, listBeneath, readBeneath, streamBeneath } from '../../../src/effects/beneath/read.ts'
import { removeBeneath } from '../../../src/effects/beneath/remove.ts'
import { makeFolderBeneath, renameBeneath, writeBeneath } from '../../../src/effects/beneath/write.ts'
import { filesWith, fullListing, guardedFolder, namesBelow, plant, plantKinds } from '../../helpers/plant.ts'
import { temporaryDirectory } from '../../helpers/temporary.ts'

const builder = { uid: 61_000, gid: 61_000 }

/** Each module function that takes a path, on `folder/inner/file`. */
const attempts: Readonly<Record<string, (root: string) => unknown>> = {
  read: (root) => readBeneath(root, 'folder/inner/file', 1 << 20)?.toString(),
  stream: (root) => text(streamBeneath(root, 'folder/inner/file')),
  list: (root) => listBeneath(root, 'folder/inner'),
  kind: (root) => kindBeneath(root, 'folder/inner/file'),
  write: (root) => writeBeneath(root, 'folder/inner/file', 'written', { mode: 0o666, owner: builder }),
  make: (root) => makeFolderBeneath(root, 'folder/inner/file/new', { owner: builder }),
  rename: (root) => renameBeneath(root, 'folder/inner/file', 'folder/moved'),
  give: (root) => giveBeneath(root, 'folder', builder),
  'give below': (root) => giveBeneath(root, 'folder/inner/file', builder),
  remove: (root) => removeBeneath(root, 'folder/inner/file'),
  'remove all': (root) => removeBeneath(root, 'folder'),
}

test('whatever stands at whichever name, nothing behind it is read, changed or waited for', async (t) => {
  const guarded = await guardedFolder(t)
  const before = fullListing(guarded.path)
  const top = await temporaryDirectory(t)
  let count = 0
  for (const [what, attempt] of Object.entries(attempts)) {
    for (const name of [
      'folder',
      'folder/inner',
      'folder/inner/file',
      'folder/inner/other',
      'folder/moved',
    ]) {
      for (const kind of plantKinds) {
        const root = join(top, String((count += 1)))
        mkdirSync(join(root, 'folder/inner'), { recursive: true })
        writeFileSync(join(root, 'folder/inner/file'), 'ours')
        if (plant(root, name, kind, guarded) === undefined) continue
        const result: unknown = await Promise.resolve()
          .then(() => attempt(root))
          .catch((error: unknown) => error)
        if (result instanceof Error && !(result instanceof FwbuildError)) {
          t.regex(String((result as NodeJS.ErrnoException).code), /^E(NOTDIR|ISDIR|EXIST|NOTEMPTY|ACCES)$/)
        }
        t.false(String(result).includes(guarded.secret), `${what} with a ${kind} at ${name}`)
        t.deepEqual(fullListing(guarded.path), before, `${what} with a ${kind} at ${name}`)
      }
    }
  }
  t.deepEqual(filesWith(top, guarded.secret), [])
  t.true(count > 400)
})

test('what is planted is taken away again, and what stood there comes back', async (t) => {
  const guarded = await guardedFolder(t)
  const root = join(await temporaryDirectory(t), 'tree')
  mkdirSync(join(root, 'a/b'), { recursive: true })
  writeFileSync(join(root, 'a/b/c'), 'text')
  const names = namesBelow(root)
  for (const name of [...names, 'new/folder/name']) {
    for (const kind of plantKinds) {
      using planted = plant(root, name, kind, guarded)
      t.true(planted === undefined || kindBeneath(root, name) !== undefined)
    }
    t.deepEqual(namesBelow(root), names)
  }
})

import test from 'ava'
import { translatingGit } from '../../../src/effects/git.ts'

const failing = (text: string): Promise<never> =>
  translatingGit('x cannot be fetched', new AbortController().signal, () => Promise.reject(new Error(text)))

test('a full disk under git is told as one; other failures by git’s own reason', async (t) => {
  const full = "fatal: sha1 file 'index.lock' write error. Out of diskspace"
  await t.throwsAsync(failing(full), {
    code: 'E_DISK_FULL',
    message: /^no space left: x cannot be fetched: /,
  })
  await t.throwsAsync(failing('noise\nfatal: bad object'), {
    code: 'E_GIT',
    message: 'x cannot be fetched: fatal: bad object',
  })
})

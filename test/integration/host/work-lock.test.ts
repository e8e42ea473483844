import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, symlinkSync } from 'node:fs'
import { readFile, readdir, stat, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { takeWorkLock } from '../../../src/effects/work-lock.ts'
import { temporaryDirectory } from '../../helpers/temporary.ts'

interface HolderFile {
  readonly pid: number
  readonly host: string
  readonly startTicks: string
  readonly since: string
  readonly command: string
}

const holderOf = async (work: string): Promise<HolderFile> =>
  JSON.parse(await readFile(join(work, 'lock'), 'utf8')) as HolderFile

test('one holder: the second is told who, and nothing is left behind', async (t) => {
  const work = join(await temporaryDirectory(t), 'new')
  const lock = await takeWorkLock(work, 'fwbuild openwrt')
  t.false(lock.holderCrashed)
  const holder = await holderOf(work)
  t.like(holder, { pid: process.pid, host: hostname(), command: 'fwbuild openwrt' })
  const error = await t.throwsAsync(takeWorkLock(work, 'fwbuild shell'), { code: 'E_WORK_LOCKED' })
  t.like(error, { exitCode: 3, retryable: true })
  t.true(error?.message.includes(`process ${process.pid} on ${hostname()}`))
  t.deepEqual(await holderOf(work), holder)
  await lock[Symbol.asyncDispose]()
  t.deepEqual(await readdir(work), [])
  await using again = await takeWorkLock(work, 'x')
  t.false(again.holderCrashed)
})

test('a holder that died is found out, whatever became of its pid', async (t) => {
  const work = await temporaryDirectory(t)
  const dead = spawn('true')
  await once(dead, 'exit')
  const holder = { host: hostname(), startTicks: '1', since: 'then', command: 'fwbuild openwrt' }
  for (const pid of [dead.pid, process.pid]) {
    // The second is a recycled pid: alive, but not the process that took the lock.
    await writeFile(join(work, 'lock'), JSON.stringify({ ...holder, pid }))
    const lock = await takeWorkLock(work, 'x')
    t.true(lock.holderCrashed)
    t.is((await holderOf(work)).pid, process.pid)
    await lock[Symbol.asyncDispose]()
  }
})

test('a crash is told to every holder until one has cleared up after it', async (t) => {
  const work = await temporaryDirectory(t)
  await writeFile(join(work, 'lock'), '')
  for (const clears of [false, false, true]) {
    await using lock = await takeWorkLock(work, 'x')
    t.true(lock.holderCrashed)
    if (clears) await lock.clearedUp()
  }
  await using lock = await takeWorkLock(work, 'x')
  t.false(lock.holderCrashed)
  t.deepEqual(await readdir(work), ['lock'])
})

test('a place where nobody can make a directory is an error, not an endless try', async (t) => {
  await t.throwsAsync(takeWorkLock('/proc/fwbuild/work', 'x'), { code: 'E_WORK_DIR' })
  await t.throwsAsync(takeWorkLock('/dev/null', 'x'), { code: 'E_WORK_DIR' })
})

test('a lock file that is damaged does not lock the directory for ever', async (t) => {
  const work = await temporaryDirectory(t)
  for (const text of ['', '{', 'null', '[]']) {
    await writeFile(join(work, 'lock'), text)
    await using lock = await takeWorkLock(work, 'x')
    t.true(lock.holderCrashed, text)
  }
})

test('another machine’s holder is believed', async (t) => {
  const work = await temporaryDirectory(t)
  const holder = { pid: 1, host: 'elsewhere.invalid', startTicks: '1', since: 'then', command: 'c' }
  await writeFile(join(work, 'lock'), JSON.stringify(holder))
  await t.throwsAsync(takeWorkLock(work, 'x'), { message: /process 1 on elsewhere\.invalid/ })
  t.true(existsSync(join(work, 'lock')))
})

test('of many that find a dead holder at once exactly one gets the lock', async (t) => {
  for (let round = 0; round < 20; round++) {
    const work = await temporaryDirectory(t)
    const holder = { pid: process.pid, host: hostname(), startTicks: '1', since: 'then', command: 'c' }
    await writeFile(join(work, 'lock'), JSON.stringify(holder))
    const late = async (index: number) => {
      // Apart by less than taking a lock lasts, so that some look while others clear away.
      for (let turns = 0; turns < index * 3; turns++) await stat(work)
      return takeWorkLock(work, 'x')
    }
    const tries = await Promise.allSettled(Array.from({ length: 8 }, (_, index) => late(index)))
    const taken = tries.filter((attempt) => attempt.status === 'fulfilled')
    t.is(taken.length, 1)
    for (const attempt of tries) {
      if (attempt.status === 'rejected') t.like(attempt.reason, { code: 'E_WORK_LOCKED' })
    }
    await taken[0]?.value.clearedUp()
    await taken[0]?.value[Symbol.asyncDispose]()
    t.deepEqual(await readdir(work), [])
  }
})

test('work without bound: a lock that is a dangling link, a FIFO or a folder is told at once', async (t) => {
  const kinds = {
    'a symbolic link': (path: string) => symlinkSync('/nowhere/at/all', path),
    'no regular file': (path: string) => execFileSync('mkfifo', [path]),
    'no regular file; remove it': (path: string) => mkdirSync(path),
  }
  for (const [words, make] of Object.entries(kinds)) {
    const work = await temporaryDirectory(t)
    make(join(work, 'lock'))
    const error = await t.throwsAsync(takeWorkLock(work, 'x'), { code: 'E_WORK_DIR' })
    t.true(error?.message.includes(words), error?.message)
  }
})

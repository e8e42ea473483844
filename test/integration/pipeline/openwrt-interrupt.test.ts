import { existsSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { fakeBuild } from '../../helpers/fake-openwrt.ts'

test('interrupted in the middle of a compile: exit 130, nothing left, the next run completes', async (t) => {
  const fake = await fakeBuild(t)
  await fake.build(['--until', 'configure'])
  await fake.setSwitch('fail-zlib', 'wait')
  const controller = new AbortController()
  const result = await fake.build(['-v'], {
    signal: controller.signal,
    onStderr: (text) => {
      if (text.includes('make[3] -C package/libs/zlib compile')) controller.abort()
    },
  })
  t.is(result.exitCode, 130, result.stderr)
  t.regex(result.stderr, /Compile cancelled/)
  t.regex(result.stderr, /\[E_CANCELLED\]/)
  t.false(existsSync(join(fake.work, 'lock')))
  const records = await readdir(join(fake.work, 'builds', fake.domain, 'steps'))
  t.false(records.includes('compile.json'))
  t.true(records.includes('configure.json'))

  await rm(join(fake.tree, 'tmp/fail-zlib'))
  const again = await fake.build()
  t.is(again.exitCode, 0, again.stderr)
  t.regex(again.stderr, /Download sources cached/)
  t.regex(again.stderr, /Compile done/)
})

test('interrupted before it began: exit 130 and nothing is built', async (t) => {
  const fake = await fakeBuild(t)
  const result = await fake.build([], { signal: AbortSignal.abort() })
  t.is(result.exitCode, 130, result.stderr)
  t.false(existsSync(fake.tree))
})

test('two builds in one work directory: the second names the first and leaves it alone', async (t) => {
  const fake = await fakeBuild(t)
  await fake.build(['--until', 'configure'])
  await fake.setSwitch('fail-zlib', 'wait')
  const secondBuild = async (): Promise<{ exitCode: number; stderr: string }> => {
    const result = await fake.build()
    await rm(join(fake.tree, 'tmp/fail-zlib'))
    return result
  }
  let second: Promise<{ exitCode: number; stderr: string }> | undefined
  const first = await fake.build(['-v'], {
    onStderr: (text) => {
      if (!text.includes('make[3] -C package/libs/zlib compile')) return
      second ??= secondBuild()
    },
  })
  t.is(first.exitCode, 0, first.stderr)
  const refused = await second
  t.is(refused?.exitCode, 3)
  t.regex(
    refused?.stderr ?? '',
    new RegExp(`in use by process ${process.pid} on .*\\[E_WORK_LOCKED\\]\\n.*‘fwbuild openwrt’ since`),
  )
})

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import test from 'ava'
import { fakeBuild } from '../../helpers/fake-openwrt.ts'

const disk = 'openwrt-22.03-fake-x86-64-generic-ext4-combined.img'

/** A line of a verbose build after which it is killed. */
const moments = [
  /Source tree …/,
  /Patch and check out …/,
  /Updating feed/,
  /\$ make .* defconfig/,
  /\$ make .* target\/compile/,
  /make\[3\] -C package\/libs\/zlib compile/,
  /Images …/,
  /Manifest …/,
]

for (const moment of moments) {
  test(`kill -9 at ${String(moment)}: the next run completes, with the same disk`, async (t) => {
    const fake = await fakeBuild(t)
    const waits = moment.source.includes('zlib')
    if (waits) {
      await fake.build(['--until', 'configure'])
      await fake.setSwitch('fail-zlib', 'wait')
    }
    const child = spawn(process.execPath, ['dist/src/cli.js', ...fake.commandLine(['-v'])], {
      env: { PATH: process.env['PATH'], HOME: fake.home },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    for await (const line of createInterface({ input: child.stderr })) {
      if (moment.test(line)) break
    }
    child.kill('SIGKILL')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    // On a busy machine a short step may have ended before the signal came.
    t.is(child.signalCode === 'SIGKILL' || child.exitCode === 0, true)
    if (waits) await rm(join(fake.tree, 'tmp/fail-zlib'))
    const next = await fake.build()
    t.is(next.exitCode, 0, next.stderr)
    t.false(existsSync(join(fake.work, 'lock')))
    const manifest = JSON.parse(await readFile(join(fake.output, 'manifest.json'), 'utf8')) as {
      artifacts: { path: string; sha256: string }[]
    }
    t.is(manifest.artifacts.find(({ path }) => path === disk)?.sha256.slice(0, 12), 'af6aefcae48f')
  })
}

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { ExecutionContext } from 'ava'
import { fakeBuild, fakeRelease, type FakeBuild } from '../../helpers/fake-openwrt.ts'
import { commit } from '../../helpers/git-repository.ts'
import { needProgram, testWith } from '../../helpers/need.ts'

/** The terminal that menuconfig needs. */
const need = [needProgram('script')]

/** A tree whose kernel is unpacked, and the answers its menuconfig will give. */
async function prepared(t: ExecutionContext, choices: string): Promise<FakeBuild> {
  const fake = await fakeBuild(t)
  commit(fake.source, 'a bus', {
    'target/linux/x86/depends': 'MY_DRIVER MY_BUS\n',
    'target/linux/generic/config-5.10':
      '# CONFIG_MY_BUS is not set\nCONFIG_MY_DRIVER=y\nCONFIG_MY_OTHER=y\n# CONFIG_PRINTK is not set\n',
  })
  const built = await fake.build(['--until', 'kernel-config'])
  t.is(built.exitCode, 0, built.stderr)
  await fake.setSwitch('menu-choices', choices)
  return fake
}

function menu(
  fake: FakeBuild,
  args: readonly string[],
): { readonly exitCode: number; readonly output: string } {
  const command = ['node', resolve('dist/src/cli.js'), 'kconfig', 'menu', '--engine', 'host', ...args]
  const common = ['--work', fake.work, '--release', fakeRelease]
  const words = [...command, ...common].map((word) => `'${word}'`).join(' ')
  const env = { PATH: process.env['PATH'], HOME: fake.home }
  const result = spawnSync('script', ['-qec', words, '/dev/null'], {
    cwd: fake.home,
    env,
    encoding: 'utf8',
    input: '',
    timeout: 120_000,
  })
  return { exitCode: result.status ?? -1, output: result.stdout }
}

testWith(need, 'menu: only what was changed is saved, and building with it gives just that', async (t) => {
  const fake = await prepared(t, 'CONFIG_MY_BUS=y\n# CONFIG_MY_OTHER is not set\n')
  const before = await readFile(join(fake.tree, '.config'), 'utf8')
  const { exitCode, output } = menu(fake, ['-o', 'my.config'])
  t.is(exitCode, 0, output)
  t.deepEqual((await readFile(join(fake.home, 'my.config'), 'utf8')).split('\n').slice(1), [
    'CONFIG_MY_BUS=y',
    '# CONFIG_MY_OTHER is not set',
    '',
  ])
  t.is(await readFile(join(fake.tree, '.config'), 'utf8'), before)
  t.false(existsSync(join(fake.tree, 'tmp/fwbuild-kconfig')))

  const again = menu(fake, ['-o', 'my.config'])
  t.is(again.exitCode, 2)
  t.regex(again.output, /my\.config exists already \[E_FILE_EXISTS\]/)

  const built = await fake.build(['--fragment', 'my.config'])
  t.is(built.exitCode, 0, built.stderr)
  const kernel = await readFile(join(fake.output, 'kernel.config'), 'utf8')
  t.regex(kernel, /^CONFIG_MY_BUS=y$/m)
  t.regex(kernel, /^CONFIG_MY_DRIVER=y$/m)
  t.regex(kernel, /^# CONFIG_MY_OTHER is not set$/m)
})

testWith(need, 'menu: nothing changed writes nothing', async (t) => {
  const fake = await prepared(t, '')
  const { exitCode, output } = menu(fake, ['-o', 'my.config'])
  t.is(exitCode, 0, output)
  t.regex(output, /nothing was changed/)
  t.false(existsSync(join(fake.home, 'my.config')))
})

testWith(need, 'menu: what OpenWrt’s own configuration decides is told and kept', async (t) => {
  const fake = await prepared(t, 'CONFIG_PRINTK=y\n')
  await writeFile(join(fake.tree, '.config'), '# CONFIG_KERNEL_PRINTK is not set\n')
  const { exitCode, output } = menu(fake, ['-o', 'my.config'])
  t.is(exitCode, 1)
  t.regex(output, /no kernel fragment gives what was chosen for PRINTK \(CONFIG_KERNEL_PRINTK\)/)
  t.false(existsSync(join(fake.home, 'my.config')))
  const kept = join(fake.work, 'builds', fake.domain, 'menu.config')
  t.regex(await readFile(kept, 'utf8'), /^CONFIG_PRINTK=y$/m)
})

testWith(need, 'menu: no tree, and a tree without a kernel', async (t) => {
  const fake = await fakeBuild(t)
  t.regex(menu(fake, []).output, /there is no tree of .* \[E_NO_TREE\]/)
  await fake.build(['--until', 'configure'])
  t.regex(menu(fake, []).output, /no prepared kernel tree below .* \[E_KERNEL_TREE\]/)
})

import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { readHostZfs, type HostZfsPlaces } from '../../../src/effects/host-zfs.ts'
import { temporaryDirectory } from '../../helpers/temporary.ts'

const signal = new AbortController().signal

/** A machine with these programs on its PATH, as shell scripts. */
async function machine(
  t: ExecutionContext,
  programs: Readonly<Record<string, string>>,
): Promise<HostZfsPlaces> {
  const root = await temporaryDirectory(t)
  for (const [name, body] of Object.entries(programs)) {
    writeFileSync(join(root, name), `#!/bin/sh\n${body}\n`)
    chmodSync(join(root, name), 0o755)
  }
  return {
    moduleVersion: join(root, 'module-version'),
    poolCache: join(root, 'zpool.cache'),
    pools: join(root, 'pools'),
    env: { PATH: root },
  }
}

test('a machine without ZFS', async (t) => {
  t.deepEqual(await readHostZfs(signal, await machine(t, {})), {
    userland: undefined,
    loaded: undefined,
    dkms: false,
    pools: false,
  })
})

test('Debian with packages and a loaded module', async (t) => {
  const places = await machine(t, {
    zfs: 'echo zfs-2.1.11-1; echo zfs-kmod-2.1.11-1',
    'dpkg-query': 'echo zfsutils-linux installed 2.1.11-1+deb12u1; echo zfs-dkms installed 2.1.11-1+deb12u1',
  })
  mkdirSync(join(places.pools, 'tank'), { recursive: true })
  t.deepEqual(await readHostZfs(signal, places), {
    userland: '2.1.11-1+deb12u1',
    loaded: '2.1.11-1',
    dkms: true,
    pools: true,
  })
})

test('commands whose module is not loaded, packages removed; a module alone', async (t) => {
  const places = await machine(t, {
    zfs: 'echo zfs-2.3.9-1; echo no module >&2; exit 1',
    'dpkg-query': 'echo zfs-dkms config-files 2.1.11-1; exit 1',
  })
  t.deepEqual(await readHostZfs(signal, places), {
    userland: '2.3.9-1',
    loaded: undefined,
    dkms: false,
    pools: false,
  })
  const alone = await machine(t, {})
  writeFileSync(alone.moduleVersion, '2.2.2-1\n')
  writeFileSync(alone.poolCache, '')
  t.like(await readHostZfs(signal, alone), { userland: undefined, loaded: '2.2.2-1', pools: true })
})

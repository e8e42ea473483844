import test from 'ava'
import { dynamicNeeds } from '../../../src/core/host/elf-needs.ts'
import {
  checkZfsModules,
  exportingModules,
  moduleName,
  parseModinfo,
  type ModuleFacts,
} from '../../../src/core/host/zfs-modules.ts'

const release = '6.1.192-fwbuild-acs'
const vermagic = `${release} SMP preempt mod_unload`
const spl: ModuleFacts = { file: 'spl.ko', vermagic, depends: ['zlib_deflate'], version: '2.3.9-1' }
const zfs: ModuleFacts = { file: 'zfs.ko.xz', vermagic, depends: ['spl'], version: '2.3.9-1' }
const kernel = { release, vermagic, modules: new Set(['zlib_deflate']) }

test('modinfo is read', (t) => {
  const lines = [
    'filename:       /stage/lib/modules/6.1.192-fwbuild-acs/extra/spl.ko',
    'version:        2.3.9-0+deb13u1',
    'depends:        zlib_deflate,zlib-inflate',
    'vermagic:       6.1.192-fwbuild-acs SMP preempt mod_unload ',
  ]
  t.deepEqual(parseModinfo(lines, 'spl.ko'), {
    file: 'spl.ko',
    vermagic,
    depends: ['zlib_deflate', 'zlib_inflate'],
    version: '2.3.9-0+deb13u1',
  })
  t.deepEqual(parseModinfo(['depends:        '], 'x.ko').depends, [])
})

test('names of modules, and which of a kernel’s export something', (t) => {
  t.is(moduleName('kernel/lib/zlib-deflate.ko.zst'), 'zlib_deflate')
  const symvers =
    '0x1\tprintk\tvmlinux\tEXPORT_SYMBOL\t\n0x2\tzlib_deflate\tlib/zlib_deflate/zlib_deflate\tEXPORT_SYMBOL\t\n'
  t.deepEqual([...exportingModules(symvers)], ['zlib_deflate'])
})

test('modules that fit are taken', (t) => {
  t.notThrows(() => checkZfsModules([spl, zfs], kernel))
  t.notThrows(() => checkZfsModules([spl, zfs], { ...kernel, vermagic: undefined }))
})

for (const [what, modules, facts, says] of [
  ['one is missing', [spl], kernel, /zfs\.ko was not built/],
  [
    'for another kernel',
    [spl, { ...zfs, vermagic: '6.1.192 SMP' }],
    { ...kernel, vermagic: undefined },
    /not for 6\.1\.192-fwbuild-acs/,
  ],
  [
    'another magic',
    [spl, { ...zfs, vermagic: `${release} SMP` }],
    kernel,
    /zfs\.ko\.xz has the version magic/,
  ],
  [
    'a dependency is nowhere',
    [spl, zfs],
    { ...kernel, modules: new Set<string>() },
    /spl\.ko needs the module zlib_deflate/,
  ],
] as const) {
  test(`modules that the kernel would refuse: ${what}`, (t) => {
    t.throws(() => checkZfsModules(modules, facts), { code: 'E_ZFS_MODULES', message: says })
  })
}

test('what an ELF file needs', (t) => {
  const lines = [
    '  INTERP         0x000318 0x0000000000000318 0x0000000000000318 0x00001c 0x00001c R   0x1',
    '      [Requesting program interpreter: /lib64/ld-linux-x86-64.so.2]',
    ' 0x0000000000000001 (NEEDED)             Shared library: [libzfs.so.6]',
    ' 0x0000000000000001 (NEEDED)             Shared library: [libc.so.6]',
    ' 0x000000000000000e (SONAME)             Library soname: [x.so.1]',
  ]
  t.deepEqual(dynamicNeeds(lines), {
    needed: ['libzfs.so.6', 'libc.so.6'],
    interpreter: '/lib64/ld-linux-x86-64.so.2',
  })
})

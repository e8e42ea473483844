import test from 'ava'
import { openwrtArguments, reproduceScript, shellWord } from '../../../src/core/manifest/reproduce.ts'
import { openwrtSpec } from '../../../src/core/spec/openwrt-spec.ts'

test('nothing given: the newest stable release for KVM, all firmware, booted', (t) => {
  const spec = openwrtSpec([])
  t.is(spec.release.name, '25.12')
  t.like(spec, {
    hypervisors: ['kvm'],
    firmwares: ['bios', 'uefi'],
    formats: ['raw', 'qcow2'],
    boot: true,
    forcePciHyperv: false,
    source: undefined,
  })
})

test('flags beat the environment, which beats the file, each option by itself', (t) => {
  const flags = { hv: ['xen' as const] }
  const environment = { hv: ['kvm' as const], release: '24.10', boot: false }
  const file = { hv: ['vmware' as const], release: '23.05', rootfsSizeMb: 300, boot: true }
  const spec = openwrtSpec([flags, environment, file])
  t.deepEqual(spec.hypervisors, ['xen'])
  t.is(spec.release.name, '24.10')
  t.is(spec.rootfsSizeMb, 300)
  t.false(spec.boot)
})

test('values that cannot be: refused with what can', (t) => {
  t.throws(() => openwrtSpec([{ release: 'nope' }]), { code: 'E_RELEASE_UNKNOWN', message: /‘nope’/ })
  t.throws(() => openwrtSpec([{ hv: [] }]), { code: 'E_HV_EMPTY' })
  t.throws(() => openwrtSpec([{ package: ['ok', 'a b'] }]), { code: 'E_PACKAGE_NAME', message: /‘a b’/ })
  t.throws(() => openwrtSpec([{ package: ['$(rm)'] }]), { code: 'E_PACKAGE_NAME' })
  t.throws(() => openwrtSpec([{ source: '#x' }]), { code: 'E_SOURCE_SYNTAX' })
  t.throws(() => openwrtSpec([{ release: '19.07', firmware: ['uefi'] }]), {
    code: 'E_FIRMWARE',
    message: 'OpenWrt 19.07 has no uefi images by itself',
  })
})

test('firmware: BIOS alone before 21.02, unless a branch is merged', (t) => {
  t.deepEqual(openwrtSpec([{ release: '19.07' }]).firmwares, ['bios'])
  t.deepEqual(openwrtSpec([{ release: '19.07', merge: ['x#y'] }]).firmwares, ['bios', 'uefi'])
  t.deepEqual(openwrtSpec([{ release: 'lede' }]).firmwares, ['bios', 'uefi'])
})

test('packages are sorted and named once; formats follow hypervisors and --azure', (t) => {
  const spec = openwrtSpec([{ package: ['b', 'a', 'b'], hv: ['hyperv'], azure: true }])
  t.deepEqual(spec.packages, ['a', 'b'])
  t.deepEqual(spec.formats, ['raw', 'vhdx', 'vpc'])
})

test('the arguments of a specification give it again', (t) => {
  const args = openwrtArguments(
    openwrtSpec([
      {
        release: '24.10',
        hv: ['kvm', 'xen'],
        source: '/a b/c#x',
        merge: ['/m#1', '/n#2'],
        patch: ["/p'q.patch"],
        share: ['9p'],
        package: ['nano'],
        image: ['raw'],
        rootfsSizeMb: 200,
        kernelSizeMb: 64,
        forcePciHyperv: true,
        boot: false,
      },
    ]),
  )
  t.deepEqual(args.slice(0, 4), ['--release', '24.10', '--hv', 'kvm,xen'])
  for (const word of ['/a b/c#x', '/m#1', '/n#2', "/p'q.patch", '--no-boot', '--force-pci-hyperv'])
    t.true(args.includes(word))
  t.is(args[args.indexOf('--rootfs-size') + 1], '200')
  t.is(args[args.indexOf('--kernel-size') + 1], '64')
})

test('words are quoted for sh where they need it', (t) => {
  t.is(shellWord('a/b.c:d,e=f@g%h+i-j#k'), 'a/b.c:d,e=f@g%h+i-j#k')
  t.is(shellWord('a b'), "'a b'")
  t.is(shellWord(''), "''")
  t.is(shellWord("it's"), String.raw`'it'\''s'`)
  t.is(shellWord('#x'), "'#x'")
  t.is(shellWord('~x'), "'~x'")
})

test('the script that builds the same again is a shell script with the lock file beside it', (t) => {
  const script = reproduceScript(openwrtSpec([{ release: 'mini' }]))
  t.regex(script, /^#!\/bin\/sh\n/)
  t.regex(script, /exec "\$fwbuild" openwrt --lock "\$here\/fwbuild\.lock" --release mini .*"\$@"\n$/)
})

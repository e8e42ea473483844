import test from 'ava'
import { parseSeries } from '../../../src/core/kconfig/series.ts'
import { defaultRelease, findRelease, releases } from '../../../src/core/release/catalogue.ts'

test('every branch from 17.01 to main, LEDE of the article, and the miniature, each once', (t) => {
  t.deepEqual(
    releases.map(({ name }) => name),
    ['mini', 'lede', '17.01', '18.06', '19.07', '21.02', '22.03', '23.05', '24.10', '25.12', 'main'],
  )
})

test('kernels are those of the trees', (t) => {
  const kernels = Object.fromEntries(releases.map(({ name, kernel }) => [name, kernel]))
  t.like(kernels, {
    lede: '4.9',
    '17.01': '4.4',
    '18.06': '4.14',
    '19.07': '4.14',
    '21.02': '5.4',
    '22.03': '5.10',
    '23.05': '5.15',
    '24.10': '6.6',
    '25.12': '6.12',
    main: '6.18',
  })
  for (const kernel of Object.values(kernels)) t.truthy(parseSeries(kernel))
})

test('the newest stable release is the default', (t) => t.is(defaultRelease().name, '25.12'))

test('an unknown release is answered with the known ones', (t) => {
  const error = t.throws(() => findRelease('25'), { code: 'E_RELEASE_UNKNOWN' })
  t.like(error, { exitCode: 2 })
  t.regex((error as Error & { hint: string }).hint, /mini, lede, 17\.01, .*25\.12, main/)
})

for (const release of releases) {
  test(`${release.name} is consistent`, (t) => {
    const old = ['lede', '17.01', '18.06', '19.07'].includes(release.name)
    t.is(release.profile, old ? 'TARGET_x86_64_Generic' : 'TARGET_x86_64_DEVICE_generic')
    t.is(release.padImages, old)
    t.is(release.efiSymbol !== undefined, release.efi !== 'none')
    t.is(release.merges.length > 0, release.efi === 'merge')
    t.true(release.suites.length > 0)
    t.true(release.diskBytes > 1024 ** 3)
  })
}

import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { AptPackage, DebianApt } from '../../src/pipeline/host-kernel/debian-apt.ts'
import { buildUser } from '../../src/effects/build-user.ts'
import type { Session } from '../../src/effects/engine.ts'
import { hostEngine } from '../../src/effects/host-engine.ts'
import { FwbuildError } from '../../src/core/errors.ts'

export const user = buildUser(process.env)

/** A session of the host engine that can write below `work`. */
export const hostSession = (work: string, signal: AbortSignal): Promise<Session> =>
  hostEngine(process.env).open(
    {
      image: '',
      mounts: [{ source: join(work, 'w'), target: join(work, 'w') }],
      env: { CCACHE_DIR: join(work, 'home', 'ccache') },
      user,
      workDir: work,
      title: 'zfs-test',
    },
    signal,
  )

function put(root: string, files: Readonly<Record<string, string>>, mode = 0o644): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), text)
    chmodSync(join(root, name), mode)
  }
}

/** C source of an object that modinfo(8) reads like a module. */
const moduleSource = (facts: Readonly<Record<string, string>>): string =>
  Object.entries(facts)
    .map(
      ([key, value], index) =>
        `static const char f${index}[] __attribute__((used, section(".modinfo"))) = "${key}=${value}";\n`,
    )
    .join('')

/**
 * Speaks as configure of OpenZFS does. What it finds in the kernel's build directory decides: `refuse` is
 * printed before it fails, `slow` makes it wait after a half-written cache.
 */
const configure = `#!/bin/sh
for a; do
  case $a in
    --with-linux-obj=*) obj=\${a#*=} ;;
    --cache-file=*) cache=\${a#*=} ;;
  esac
done
if [ -s "$cache" ]; then echo 'checking the kernel... (cached) yes'; grep -q '^answers$' "$cache" || exit 9
else echo 'checking the kernel... yes'; fi
if [ -s "$cache" ] && grep -q '^ac_cv_env_TEST_JOBS' "$cache"; then echo 'TEST_JOBS has changed'; exit 1; fi
if [ -e "$obj/slow" ]; then echo half > "$cache"; echo 'checking slowly... '; sleep 60; fi
if [ -e "$obj/refuse" ]; then cat "$obj/refuse" >&2; exit 1; fi
printf 'answers\nac_cv_env_TEST_JOBS_value=%s\n' "$TEST_JOBS" > "$cache"
release=$(cat "$obj/include/config/kernel.release")
sed "s/@release@/$release/" Makefile.in > Makefile
sed "s/@release@/$release/" module/Makefile.in > module/Makefile
`

const makefile = `all: module/spl.ko module/zfs.ko
module/%.ko: module/%.c
\t@echo '  CC [M]  $(CURDIR)/module/$*.o'
\t@test ! -e module/slow || { touch $@; sleep 60; }
\t@sed 's/__RELEASE__/@release@/' $< | gcc -c -x c - -o $@
`

const moduleMakefile = `modules_install:
\tmkdir -p $(INSTALL_MOD_PATH)/lib/modules/@release@/$(INSTALL_MOD_DIR)
\tcp spl.ko zfs.ko $(INSTALL_MOD_PATH)/lib/modules/@release@/$(INSTALL_MOD_DIR)/
`

export interface FakeZfs {
  readonly version?: string
  readonly maximum?: string
  /** The kernel release its modules claim, where it is not the one they are built for. */
  readonly magic?: string
}

/** A source tree that looks and behaves like OpenZFS's as far as fwbuild can see. */
export function fakeZfsTree(
  root: string,
  { version = '2.3.9', maximum = '7.2', magic }: FakeZfs = {},
): string {
  const vermagic = `${magic ?? '__RELEASE__'} SMP mod_unload `
  put(root, {
    META: `Name: zfs\nVersion: ${version}\nRelease: 1\nLinux-Maximum: ${maximum}\nLinux-Minimum: 4.18\n`,
    'Makefile.in': makefile,
    'module/Makefile.in': moduleMakefile,
    'module/Kbuild': 'zfs-objs := spl.o zfs.o\n',
    'module/spl.c': moduleSource({ vermagic, depends: 'zlib_deflate', version: `${version}-1` }),
    'module/zfs.c': moduleSource({ vermagic, depends: 'spl', version: `${version}-1` }),
  })
  put(root, { configure }, 0o755)
  return root
}

export const fakeRelease = '6.1.192-fwbuild-acs'

/** A compiled kernel: source and build directory with what a module is built from. */
export function fakeKernel(root: string): { readonly kernelSrcDir: string; readonly kernelObjDir: string } {
  const kernelSrcDir = join(root, 'src')
  const kernelObjDir = join(root, 'obj')
  put(kernelSrcDir, { 'include/linux/kernel.h': '/* */\n', 'kernel/panic.c': '/* */\n' })
  put(kernelObjDir, {
    'include/config/kernel.release': `${fakeRelease}\n`,
    'include/generated/autoconf.h': '#define CONFIG_MODULES 1\n',
    'include/generated/compile.h': '#define UTS_VERSION "#1"\n',
    'Module.symvers': '0x0\tzlib_deflate\tlib/zlib_deflate/zlib_deflate\tEXPORT_SYMBOL\t\n',
    'modules.order': 'lib/zlib_deflate/zlib_deflate.o\n',
  })
  mkdirSync(join(kernelObjDir, 'lib', 'zlib_deflate'), { recursive: true })
  compile(
    moduleSource({ vermagic: `${fakeRelease} SMP mod_unload ` }),
    join(kernelObjDir, 'lib', 'zlib_deflate', 'zlib_deflate.ko'),
    ['-c'],
  )
  return { kernelSrcDir, kernelObjDir }
}

export function compile(source: string, output: string, options: readonly string[]): void {
  mkdirSync(dirname(output), { recursive: true })
  const { status, stderr } = spawnSync('gcc', [...options, '-x', 'c', '-', '-o', output], {
    input: source,
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(stderr)
}

/** Packs a folder as a .deb. */
export function packDeb(root: string, name: string, version: string, output: string): string {
  put(root, {
    'DEBIAN/control': `Package: ${name}\nVersion: ${version}\nArchitecture: all\nMaintainer: test <test@example.org>\nDescription: test\n`,
  })
  chmodSync(join(root, 'DEBIAN'), 0o755)
  mkdirSync(dirname(output), { recursive: true })
  const { status, stderr } = spawnSync('dpkg-deb', ['--root-owner-group', '-b', root, output], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(stderr)
  return output
}

export interface FakeApt extends DebianApt {
  /** Versions that were downloaded, in order. */
  readonly downloaded: string[]
}

/** An archive of ready .debs; one that is not there is gone from the pool. */
export function fakeApt(
  packages: readonly (AptPackage & { readonly deb: string })[],
  dependencies: readonly string[] = [],
): FakeApt {
  const downloaded: string[] = []
  const fetch = (wanted: AptPackage): string => {
    const deb = packages.find(({ name, version }) => name === wanted.name && version === wanted.version)?.deb
    if (deb === undefined || !existsSync(deb))
      throw new FwbuildError('infra', 'E_APT_GONE', `${wanted.name} ${wanted.version} is gone`)
    downloaded.push(wanted.version)
    return deb
  }
  return {
    downloaded,
    names: (prefix) =>
      Promise.resolve(packages.map(({ name }) => name).filter((name) => name.startsWith(prefix))),
    update: () => Promise.resolve(),
    versions: (name) => Promise.resolve(packages.filter((one) => one.name === name)),
    download: async (wanted) => fetch(wanted),
    downloadWithDependencies: async (wanted) => [fetch(wanted), ...dependencies],
  }
}

/** Why ZFS could not be configured or compiled, where its own words are known. */
export interface ZfsFailure {
  readonly what: string
  /** Lines of a kernel configuration fragment that cure it. */
  readonly fragment: readonly string[]
  /** What else can be done. */
  readonly advice?: string
}

interface Known {
  readonly says: RegExp
  readonly failure: ZfsFailure
}

const otherZfs = 'choose another ZFS (--zfs=VERSION|PATH) or another kernel (--source debian:SERIES)'

/**
 * Refusals of OpenZFS's configure (config/kernel-config-defined.m4, config/kernel.m4) and of the kernel's
 * modpost (scripts/mod/modpost.c), as of ZFS 2.1 to 2.4 and Linux 6.1 to 7.2.
 */
const known: readonly Known[] = [
  {
    says: /does not include the required loadable module/,
    failure: { what: 'the kernel is configured without loadable modules', fragment: ['CONFIG_MODULES=y'] },
  },
  {
    says: /does not include the required block device support/,
    failure: { what: 'the kernel is configured without block devices', fragment: ['CONFIG_BLOCK=y'] },
  },
  {
    says: /Kernel built with CONFIG_DEBUG_LOCK_ALLOC|GPL-only symbol '(?:mutex_lock_nested|lock_acquire|lockdep_\w+)'/,
    failure: {
      what: 'the kernel is configured with DEBUG_LOCK_ALLOC, by which only modules under the GPL can lock a mutex',
      // These three select it.
      fragment: [
        '# CONFIG_DEBUG_LOCK_ALLOC is not set',
        '# CONFIG_PROVE_LOCKING is not set',
        '# CONFIG_LOCK_STAT is not set',
        '# CONFIG_DEBUG_WW_MUTEX_SLOWPATH is not set',
      ],
    },
  },
  {
    says: /unused symbols trimming enabled/,
    failure: {
      what: 'the kernel is configured to drop the symbols that its own modules do not use (TRIM_UNUSED_KSYMS)',
      fragment: ['# CONFIG_TRIM_UNUSED_KSYMS is not set'],
    },
  },
  {
    says: /required zlib (?:in|de)flate support|"zlib_(?:in|de)flate\w*" \[/,
    failure: {
      what: 'the kernel is configured without zlib, which has no question of its own',
      fragment: ['CONFIG_CRYPTO=y', 'CONFIG_CRYPTO_DEFLATE=m'],
    },
  },
  {
    says: /maximum supported kernel version is/,
    failure: { what: 'this ZFS is not made for so new a kernel', fragment: [], advice: otherZfs },
  },
  {
    says: /None of the expected ".*" interfaces were detected/,
    failure: {
      what: 'ZFS does not find an interface of the kernel that it needs: the kernel is too new, or a patch changed it',
      fragment: [],
      advice: otherZfs,
    },
  },
  {
    says: /modpost: GPL-incompatible module \S+ uses GPL-only symbol/,
    failure: {
      what: 'this kernel gives a symbol that ZFS needs to modules under the GPL only',
      fragment: [],
      advice: `an option of the kernel does that (often a debugging or tracing one), or a patch; ${otherZfs}`,
    },
  },
  {
    says: /modpost: "\w+" \[\S+\] undefined!/,
    failure: {
      what: 'this kernel lacks a symbol that ZFS needs',
      fragment: [],
      advice: `an option of the kernel that brings it is off, or ZFS is too old; ${otherZfs}`,
    },
  },
  {
    says: /Please make sure the kernel devel package|Cannot (?:find UTS_RELEASE|determine kernel version)/,
    failure: {
      what: 'the kernel that ZFS is built for is not compiled yet, or its build directory was changed',
      fragment: [],
      advice: 'compile the kernel again',
    },
  },
  {
    says: /C compiler cannot create executables|no acceptable C compiler/,
    failure: { what: 'the compiler does not work', fragment: [], advice: 'install gcc, make and libc6-dev' },
  },
]

/** Translates what configure or make said; undefined where nothing of it is known. */
export function explainZfsFailure(lines: readonly string[]): ZfsFailure | undefined {
  return known.find(({ says }) => lines.some((line) => says.test(line)))?.failure
}

const firstError =
  /(?:^configure: error:|\berror:|^ERROR:|\*\*\* \[|undefined reference|cannot find|No rule to make)/

/**
 * The first lines that look like a cause, with what follows them.
 * Configure's own `checking …` lines are no part of it.
 */
export function zfsErrorLines(lines: readonly string[], limit = 10): readonly string[] {
  const telling = lines.map((line) => line.trimEnd()).filter((line) => line !== '')
  const first = telling.findIndex((line) => firstError.test(line))
  if (first === -1) return telling.slice(-limit)
  return telling
    .slice(first, first + limit)
    .filter((line, index) => index === 0 || !line.startsWith('checking '))
}

export interface AptPackage {
  readonly name: string
  readonly version: string
  readonly suite: string
}

/** A private, signature-checked APT in the build's session. */
export interface DebianApt {
  /** Reads the indexes (network) once; later calls do nothing. Suites that do not answer are left out with a note. */
  readonly update: () => Promise<void>
  /** All versions of a binary package, newest first within a suite, suites in the given order. */
  readonly versions: (name: string) => Promise<readonly AptPackage[]>
  /** Path on this machine of the verified .deb (in WORK/dl). Throws infra E_APT_GONE when the pool no longer has it. */
  readonly download: (wanted: AptPackage) => Promise<string>
  /** The package with all it depends on (for a root of its own): paths of .debs. */
  readonly downloadWithDependencies: (wanted: AptPackage, name: string) => Promise<readonly string[]>
}

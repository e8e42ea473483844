import { debianPackageOf } from './programs.ts'

/** What a run is going to do on this machine; each job has needs of its own. */
export type HostJob =
  | 'clone'
  | 'container'
  | 'base-image'
  | 'host-build'
  | 'host-packages'
  | 'convert'
  | 'boot'
  | 'boot-kernel'
  | 'prove-install'

/** What was seen of a machine, gathered by pipeline/check-host.ts. */
export interface HostFacts {
  /** `process.version` without the v. */
  readonly nodeVersion: string
  readonly gitVersion: string | undefined
  /** Programs on PATH or in the system directories. */
  readonly programs: ReadonlySet<string>
  readonly docker:
    | { readonly answers: true; readonly address: string }
    | { readonly answers: false; readonly why: string }
  readonly ovmf: boolean
  readonly kvm: boolean
  readonly freeDiskBytes: number
  /** Where that space was looked for. */
  readonly workDir: string
  readonly isRoot: boolean
  readonly appArmor: boolean
  /** Whether control groups are mounted; an init system does that. */
  readonly cgroups: boolean
}

export interface Finding {
  readonly id: string
  readonly title: string
  /** `weak`: works, slower or with less. */
  readonly state: 'ok' | 'weak' | 'missing'
  readonly detail: string
  /** What to do, where something is. */
  readonly advice?: string
  /** Debian packages that cure it. */
  readonly packages: readonly string[]
}

const oldestNode = [20, 19] as const
/** `git merge-tree --write-tree`, by which merges are tried without touching a tree. */
const oldestGit = [2, 38] as const
const gibibyte = 1024 ** 3
/** A real OpenWrt build tree with its downloads; the mini release takes a fifth of it. */
const comfortableDiskBytes = 15 * gibibyte
const leastDiskBytes = 3 * gibibyte

/** What a build runs on the bare machine with `--engine host`; the container has these in its image. */
const hostBuildPrograms = ['bash', 'cpio', 'gcc', 'make', 'patch', 'tar'] as const

/** What a host kernel needs beside that to become packages. */
const hostPackagePrograms = ['apt-ftparchive', 'dpkg-deb', 'gpg'] as const

/** What makes the system that packages are installed into, beside what bootstraps it. */
const systemDiskPrograms = ['mke2fs', 'sfdisk'] as const

/** Programs that the judgements below ask for by name. */
export const askedPrograms: readonly string[] = [
  ...hostBuildPrograms,
  ...hostPackagePrograms,
  ...systemDiskPrograms,
  'debootstrap',
  'dockerd',
  'mmdebstrap',
  'modinfo',
  'qemu-img',
  'qemu-system-x86_64',
]

/** Judges a machine for some jobs, in the order a person would go through them. */
export function assessHost(facts: HostFacts, jobs: readonly HostJob[]): readonly Finding[] {
  const wanted = new Set(jobs)
  return [
    assessNode(facts),
    ...(wanted.has('clone') ? [assessGit(facts)] : []),
    ...(wanted.has('container') ? [assessDocker(facts)] : []),
    ...(wanted.has('base-image') ? [assessBootstrap(facts)] : []),
    ...(wanted.has('host-build') ? hostBuildPrograms.map((name) => assessProgram(facts, name)) : []),
    ...(wanted.has('host-packages') ? hostPackagePrograms.map((name) => assessProgram(facts, name)) : []),
    ...(wanted.has('convert') ? [assessProgram(facts, 'qemu-img')] : []),
    ...(wanted.has('boot')
      ? [assessProgram(facts, 'qemu-system-x86_64'), assessOvmf(facts), assessKvm(facts)]
      : []),
    ...(wanted.has('boot-kernel')
      ? [
          ...(wanted.has('boot') ? [] : [assessProgram(facts, 'qemu-system-x86_64'), assessKvm(facts)]),
          assessProgram(facts, 'modinfo'),
        ]
      : []),
    ...(wanted.has('prove-install') ? systemDiskPrograms.map((name) => assessProgram(facts, name)) : []),
    assessDisk(facts),
  ]
}

/** Debian packages that cure what is missing, each once, sorted. */
export function packagesFor(findings: readonly Finding[]): readonly string[] {
  const missing = findings.filter(({ state }) => state === 'missing')
  return [...new Set(missing.flatMap(({ packages }) => packages))].sort()
}

function ok(id: string, title: string, detail: string): Finding {
  return { id, title, state: 'ok', detail, packages: [] }
}

function missing(
  id: string,
  title: string,
  detail: string,
  packages: readonly string[],
  advice = `apt-get install ${packages.join(' ')}`,
): Finding {
  return { id, title, state: 'missing', detail, advice, packages }
}

function assessNode({ nodeVersion }: HostFacts): Finding {
  return isAtLeast(nodeVersion, oldestNode)
    ? ok('node', 'Node.js', nodeVersion)
    : missing(
        'node',
        'Node.js',
        `${nodeVersion} is too old`,
        [],
        `install Node.js ${oldestNode.join('.')} or newer`,
      )
}

function assessGit({ gitVersion }: HostFacts): Finding {
  if (gitVersion === undefined) return missing('git', 'git', 'not installed', ['git'])
  if (isAtLeast(gitVersion, oldestGit)) return ok('git', 'git', gitVersion)
  // Installing again does not help where the distribution has none newer.
  const advice = `install git ${oldestGit.join('.')} or newer (Debian 12 has it, Debian 11 in backports)`
  return missing('git', 'git', `${gitVersion} is too old`, [], advice)
}

function assessDocker({ docker, programs, appArmor, cgroups }: HostFacts): Finding {
  if (docker.answers) return ok('docker', 'Docker daemon', `answers at ${docker.address}`)
  if (programs.has('dockerd')) {
    const advice = 'start it (systemctl start docker), or build with --engine host'
    return missing('docker', 'Docker daemon', docker.why, cgroups ? [] : ['cgroupfs-mount'], advice)
  }
  const packages = [
    'docker.io',
    'iptables',
    // Where the kernel enforces AppArmor, dockerd cannot start a container without its tools.
    ...(appArmor ? ['apparmor'] : []),
    ...(cgroups ? [] : ['cgroupfs-mount']),
  ]
  const advice = `apt-get install ${packages.join(' ')}, or build with --engine host`
  return missing('docker', 'Docker daemon', docker.why, packages, advice)
}

function assessBootstrap({ programs, isRoot }: HostFacts): Finding {
  const title = 'Debian bootstrap'
  if (programs.has('mmdebstrap')) return ok('bootstrap', title, 'mmdebstrap')
  if (isRoot && programs.has('debootstrap')) return ok('bootstrap', title, 'debootstrap')
  return isRoot
    ? missing('bootstrap', title, 'debootstrap is not installed', ['debootstrap'])
    : missing('bootstrap', title, 'debootstrap needs root', ['mmdebstrap', 'uidmap'])
}

function assessProgram({ programs }: HostFacts, program: string): Finding {
  if (programs.has(program)) return ok(program, program, 'installed')
  const name = debianPackageOf(program)
  return missing(program, program, 'not installed', name === undefined ? [] : [name])
}

function assessOvmf({ ovmf }: HostFacts): Finding {
  const title = 'UEFI firmware (OVMF)'
  return ovmf ? ok('ovmf', title, 'installed') : missing('ovmf', title, 'not installed', ['ovmf'])
}

function assessKvm({ kvm }: HostFacts): Finding {
  if (kvm) return ok('kvm', 'KVM', 'works')
  return {
    id: 'kvm',
    title: 'KVM',
    state: 'weak',
    detail: 'no KVM that really works; boots are emulated, about ten times slower',
    advice: 'on bare metal: enable virtualisation in the firmware, and join the group kvm',
    packages: [],
  }
}

function assessDisk({ freeDiskBytes, workDir }: HostFacts): Finding {
  const title = 'Disk space'
  const detail = `${(freeDiskBytes / gibibyte).toFixed(1)} GiB free at ${workDir}`
  if (freeDiskBytes >= comfortableDiskBytes) return ok('disk', title, detail)
  const advice = 'free some space, or name another place with --work'
  if (freeDiskBytes < leastDiskBytes) return missing('disk', title, detail, [], advice)
  return {
    id: 'disk',
    title,
    state: 'weak',
    detail: `${detail}: enough for small builds`,
    advice,
    packages: [],
  }
}

/** @param version dotted numbers, more of them than compared or none; anything else counts as too old */
function isAtLeast(version: string, [major, minor]: readonly [number, number]): boolean {
  const match = /^(\d+)\.(\d+)/.exec(version)
  if (match === null) return false
  const [have, haveMinor] = [Number(match[1]), Number(match[2])]
  return have > major || (have === major && haveMinor >= minor)
}

import { existsSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import type { InstallProof } from '../../core/host/install-proof.ts'
import type { GroupsProof } from '../../core/host/iommu-proof.ts'
import type { ModulesProof } from '../../core/host/modules-proof.ts'
import { bootError, buildError, FwbuildError } from '../../core/errors.ts'
import type { Json } from '../../core/json.ts'
import type { Step, StepTools } from '../run.ts'
import { bootInstallation, canProveInstall, relativeInstallLogs } from './boot-install.ts'
import { kernelImage } from './compile.ts'
import type { HostKernelContext } from './context.ts'
import { proveGroups } from './prove-groups.ts'
import { proveModules } from './prove-modules.ts'
import { requireSuccess } from './session-output.ts'
import { zfsStage } from './zfs.ts'
import { zfsUserland } from './zfs-userland.ts'

type BootOutputs = { readonly groups: Json; readonly modules: Json; readonly install: Json }

/**
 * The kernel started in QEMU: its IOMMU groups with and without the override, and its modules out of the very
 * packages that are delivered.
 */
export const hostBootStep: Step<HostKernelContext, BootOutputs> = {
  id: 'boot',
  title: 'Boot proof',
  version: 1,
  inputs: async (context) => ({
    boot: context.spec.boot,
    image: context.found.imageSha256,
    release: context.found.release,
    interface: context.found.interfaceDigest,
    zfs: context.found.zfsModules,
    // The packages themselves, and the script that installs them.
    delivered: context.found.delivered.filter(({ path }) => !path.startsWith('apt/')),
    acs: context.spec.acs,
    parameters: [...context.acsParameters],
    vfio: vfioIdsOf(context),
    output: context.paths.output,
  }),
  run: async (context, tools) => {
    if (!context.spec.boot) return { groups: null, modules: null, install: null }
    const busyboxPath = await busybox(context, tools)
    const common = {
      kernelPath: await kernelCopy(context, tools),
      busyboxPath,
      logDir: join(context.paths.output, 'boot'),
      signal: tools.signal,
      report: reportTo(tools),
      step: 'boot',
    }
    const groups = await proveGroups({
      ...common,
      acs: context.spec.acs,
      parameters: context.acsParameters,
    })
    // A kernel without modules is for this proof only: no system boots with it.
    const modular = context.found.interfaceDigest !== ''
    const modules = modular ? await bootModules(context, common, tools) : null
    const install = modular ? await bootInstallation(context, common, tools) : null
    return {
      groups: relativeLogs(groups) as unknown as Json,
      modules:
        modules === null ? null : ({ ...modules, log: `boot/${basename(modules.log)}` } as unknown as Json),
      install: install === null ? null : (relativeInstallLogs(install) as unknown as Json),
    }
  },
  // A failed proof is tried again: the machine may have been busy, or mended; so is one that could not be run.
  intact: async (context, outputs) => {
    const { groups, modules, install } = proofsOf(outputs)
    if (groups === undefined) return !context.spec.boot
    const proofs = [groups, modules, install].filter((proof) => proof !== undefined)
    const logs = [
      ...groups.rows.map(({ log }) => log),
      ...(modules === undefined ? [] : [modules.log]),
      ...(install?.logs ?? []),
    ]
    return (
      proofs.every(({ status }) => status === 'passed' || (status === 'not-run' && !canProveInstall())) &&
      logs.every((log) => existsSync(join(context.paths.output, log)))
    )
  },
  adopt: (context, outputs) => {
    const { groups, modules, install } = proofsOf(outputs)
    context.found.groupsProof = groups
    context.found.modulesProof = modules
    context.found.installProof = install
  },
  summary: (outputs) => {
    const { groups, modules, install } = proofsOf(outputs)
    if (groups === undefined) return 'not asked for'
    const rows = `groups: ${count(groups.rows)} boots passed`
    const rest = [
      ...(modules === undefined ? [] : [`modules: ${count(modules.checks)} checks`]),
      ...(install === undefined ? [] : [`installation: ${installSummary(install)}`]),
    ]
    return [rows, ...rest].join(', ')
  },
}

const count = (results: readonly { readonly status: string }[]): string => {
  const judged = results.filter(({ status }) => status !== 'not-run')
  return `${judged.filter(({ status }) => status === 'passed').length} of ${judged.length}`
}

const installSummary = ({ status, checks }: InstallProof): string =>
  status === 'not-run' ? `not proved, ${checks[0]?.detail ?? 'no reason known'}` : `${count(checks)} checks`

interface Proofs {
  readonly groups: GroupsProof | undefined
  readonly modules: ModulesProof | undefined
  readonly install: InstallProof | undefined
}

const proofsOf = ({ groups, modules, install }: BootOutputs): Proofs => ({
  groups: (groups ?? undefined) as unknown as GroupsProof | undefined,
  modules: (modules ?? undefined) as unknown as ModulesProof | undefined,
  install: (install ?? undefined) as unknown as InstallProof | undefined,
})

const reportTo =
  (tools: StepTools): Parameters<typeof proveGroups>[0]['report'] =>
  (event) => {
    if (event.type === 'note') tools.note(event.text, event.level)
    if (event.type === 'line') tools.line(event.text, event.stream)
    if (event.type === 'progress') tools.progress(event.progress)
  }

const relativeLogs = (proof: GroupsProof): GroupsProof => ({
  ...proof,
  rows: proof.rows.map((row) => ({ ...row, log: `boot/${basename(row.log)}` })),
})

/** The buildroot's static BusyBox: this machine need not have one. */
async function busybox(context: HostKernelContext, tools: StepTools): Promise<string> {
  const { area, stateDir } = context
  const { proof } = context.places
  area.makeFolder(proof)
  const session = await context.session(tools.line)
  const path = join(proof, 'busybox')
  await requireSuccess(session, ['cp', '-f', '/bin/busybox', session.inside(path)], {
    cwd: context.places.root,
    signal: tools.signal,
  })
  const own = proofFile(stateDir, 'busybox')
  await area.copyOut(path, own, tools.signal)
  return own
}

/** What is booted is copied out of the build's reach, where nothing can take its place. */
const proofFile = (stateDir: string, name: string): string => join(stateDir, 'proof', name)

/** @throws build E_KERNEL_CHANGED */
async function kernelCopy(context: HostKernelContext, tools: StepTools): Promise<string> {
  const own = proofFile(context.stateDir, 'bzImage')
  const { sha256 } = await context.area.copyOut(kernelImage(context), own, tools.signal)
  if (sha256 === context.found.imageSha256) return own
  throw buildError('E_KERNEL_CHANGED', `${kernelImage(context)} is not the kernel that was compiled`, {
    hint: 'run the same command again; it is compiled anew',
  })
}

type Common = Omit<Parameters<typeof proveGroups>[0], 'acs' | 'parameters'>

async function bootModules(
  context: HostKernelContext,
  common: Common,
  tools: StepTools,
): Promise<ModulesProof> {
  const { area, found, places } = context
  const session = await context.session(tools.line)
  const image = found.kernelPackages.find((path) => basename(path).startsWith('linux-image-'))
  const unpacked = join(places.proof, 'image')
  await area.remove(unpacked)
  await requireSuccess(session, ['dpkg-deb', '-x', session.inside(image ?? ''), session.inside(unpacked)], {
    cwd: places.root,
    signal: tools.signal,
  })
  const modules = (root: string) => ({
    root: area.root,
    path: relative(area.root, join(root, 'lib/modules', found.release)),
  })
  const withZfs = found.zfs !== undefined
  const userland = withZfs ? await userlandFor(context, tools) : undefined
  return proveModules({
    ...common,
    modulesDirs: [modules(unpacked), ...(withZfs ? [modules(zfsStage(context))] : [])],
    release: found.release,
    zfs: withZfs,
    ...(userland === undefined ? {} : { zfsUserland: { area, dir: userland } }),
    vfioIds: vfioIdsOf(context),
  })
}

export const vfioIdsOf = ({ devices }: HostKernelContext): readonly string[] =>
  [...new Set(devices.map(({ id }) => id))].sort()

/** Without the commands the modules are only loaded: no reason to end a build. */
async function userlandFor(context: HostKernelContext, tools: StepTools): Promise<string | undefined> {
  try {
    return await zfsUserland(await context.apt(tools), context.found.zfs?.version ?? '', {
      session: await context.session(tools.line),
      area: context.area,
      dir: join(context.places.proof, 'zfs-userland'),
      note: tools.note,
      signal: tools.signal,
    })
  } catch (error) {
    if (!(error instanceof FwbuildError) || error.kind !== 'infra') throw error
    tools.note(`no ZFS commands for the proof: ${error.message}`, 'warn')
    return undefined
  }
}

/** @throws boot error that names each proof that failed */
export function requireProofs({ found, paths }: HostKernelContext): void {
  const rows = (found.groupsProof?.rows ?? []).filter(({ status }) => status === 'failed')
  const checks = [found.modulesProof, found.installProof].flatMap((proof) =>
    (proof?.checks ?? []).filter(({ status }) => status === 'failed'),
  )
  if (rows.length + checks.length === 0) return
  const lines = [
    ...rows.map(
      ({ topology, parameters, detail }) =>
        `  groups ${topology} ${parameters.join(',') || '(no parameter)'}: ${detail}`,
    ),
    ...checks.map(({ name, detail }) => `  ${name}: ${detail}`),
  ]
  throw bootError('E_BOOT_FAILED', `the kernel was built, but did not prove itself:\n${lines.join('\n')}`, {
    hint: `serial logs: ${join(paths.output, 'boot')}`,
  })
}

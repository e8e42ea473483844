import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { GroupsProof } from '../../core/host/iommu-proof.ts'
import type { ModulesProof } from '../../core/host/modules-proof.ts'
import { bootError } from '../../core/errors.ts'
import type { Json } from '../../core/json.ts'
import { giveTo } from '../../effects/build-user.ts'
import { removeTree } from '../../effects/files.ts'
import type { Step, StepTools } from '../run.ts'
import { kernelImage } from './compile.ts'
import type { HostKernelContext } from './context.ts'
import { proveGroups } from './prove-groups.ts'
import { proveModules } from './prove-modules.ts'
import { requireSuccess } from './session-output.ts'
import { zfsStage } from './zfs.ts'
import { zfsUserland } from './zfs-userland.ts'

type BootOutputs = { readonly groups: Json; readonly modules: Json }

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
    acs: context.spec.acs,
    parameters: [...context.acsParameters],
    vfio: [...context.vfioIds],
    output: context.paths.output,
  }),
  run: async (context, tools) => {
    if (!context.spec.boot) return { groups: null, modules: null }
    const busyboxPath = await busybox(context, tools)
    const common = {
      kernelPath: kernelImage(context),
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
    const modules = context.found.interfaceDigest === '' ? null : await bootModules(context, common, tools)
    return {
      groups: relativeLogs(groups) as unknown as Json,
      modules:
        modules === null ? null : ({ ...modules, log: `boot/${basename(modules.log)}` } as unknown as Json),
    }
  },
  intact: async (context, outputs) => {
    const { groups } = proofsOf(outputs)
    return (groups?.rows ?? []).every(({ log }) => existsSync(join(context.paths.output, log)))
  },
  adopt: (context, outputs) => {
    const { groups, modules } = proofsOf(outputs)
    context.found.groupsProof = groups
    context.found.modulesProof = modules
  },
  summary: (outputs) => {
    const { groups, modules } = proofsOf(outputs)
    if (groups === undefined) return 'not asked for'
    const passed = groups.rows.filter(({ status }) => status === 'passed').length
    const checks = modules?.checks.filter(({ status }) => status !== 'not-run') ?? []
    const good = checks.filter(({ status }) => status === 'passed').length
    return `groups: ${passed} of ${groups.rows.length} boots passed${modules === undefined ? '' : `, modules: ${good} of ${checks.length} checks`}`
  },
}

const proofsOf = ({
  groups,
  modules,
}: BootOutputs): {
  readonly groups: GroupsProof | undefined
  readonly modules: ModulesProof | undefined
} => ({
  groups: (groups ?? undefined) as unknown as GroupsProof | undefined,
  modules: (modules ?? undefined) as unknown as ModulesProof | undefined,
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
  const { proof } = context.places
  await mkdir(proof, { recursive: true })
  await giveTo(proof, context.user, tools.signal)
  const session = await context.session(tools.line)
  const path = join(proof, 'busybox')
  await requireSuccess(session, ['cp', '-f', '/bin/busybox', session.inside(path)], {
    cwd: context.places.root,
    signal: tools.signal,
  })
  return path
}

type Common = Omit<Parameters<typeof proveGroups>[0], 'acs' | 'parameters'>

async function bootModules(
  context: HostKernelContext,
  common: Common,
  tools: StepTools,
): Promise<ModulesProof> {
  const { found, places, user } = context
  const session = await context.session(tools.line)
  const image = found.kernelPackages.find((path) => basename(path).startsWith('linux-image-'))
  const unpacked = join(places.proof, 'image')
  await removeTree(unpacked)
  await requireSuccess(session, ['dpkg-deb', '-x', session.inside(image ?? ''), session.inside(unpacked)], {
    cwd: places.root,
    signal: tools.signal,
  })
  const modules = (root: string): string => join(root, 'lib/modules', found.release)
  const withZfs = found.zfs !== undefined
  const userland = withZfs
    ? await zfsUserland(await context.apt(tools), found.zfs?.version ?? '', {
        session,
        user,
        dir: join(places.proof, 'zfs-userland'),
        note: tools.note,
        signal: tools.signal,
      })
    : undefined
  return proveModules({
    ...common,
    modulesDirs: [modules(unpacked), ...(withZfs ? [modules(zfsStage(context))] : [])],
    release: found.release,
    zfs: withZfs,
    ...(userland === undefined ? {} : { zfsUserlandDir: userland }),
    vfioIds: context.vfioIds,
  })
}

/** @throws boot error that names each proof that failed */
export function requireProofs({ found, paths }: HostKernelContext): void {
  const rows = (found.groupsProof?.rows ?? []).filter(({ status }) => status === 'failed')
  const checks = (found.modulesProof?.checks ?? []).filter(({ status }) => status === 'failed')
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

import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { cp, mkdir, readdir, rename } from 'node:fs/promises'
import { basename, join, relative } from 'node:path'
import { installScript } from '../../core/host/install-script.ts'
import { zfsModulesPackage } from '../../core/host/zfs-package.ts'
import type { Json } from '../../core/json.ts'
import { sha256sums } from '../../core/manifest/manifest.ts'
import { stampFiles, stampsHold, type FileStamp } from '../../effects/file-stamps.ts'
import { atomicWrite, removeTree, sha256File } from '../../effects/files.ts'
import type { Step, StepTools } from '../run.ts'
import { makeAptFolder } from './apt-folder.ts'
import { bootSettingsOf, buildSettingsDeb, hasBootSettings, maintainer } from './boot-settings.ts'
import type { HostKernelContext } from './context.ts'
import { buildDeb } from './deb-package.ts'
import { packageVersion } from './packages.ts'
import { requireOwnFolder } from './require-output.ts'
import { zfsStage } from './zfs.ts'

type DeliverOutputs = {
  /** What these packages were built from: `watch` compares with it. */
  readonly source: string
  readonly files: readonly { readonly path: string; readonly sha256: string }[]
  readonly stamps: readonly FileStamp[]
}

/** All packages, the folder that APT takes, and install.sh, into the output folder. */
export const deliverStep: Step<HostKernelContext, DeliverOutputs> = {
  id: 'deliver',
  title: 'Packages, APT folder, install.sh',
  version: 1,
  inputs: async (context) => ({
    kernel: await stampFiles(context.places.root, 'debs').then((stamps) =>
      stamps.filter(({ name }) => context.found.kernelPackages.some((path) => basename(path) === name)),
    ),
    zfs: context.found.zfsModules,
    interface: context.found.interfaceDigest,
    settings: bootSettingsOf(context) as unknown as Json,
    // Another fwbuild may write other scripts.
    install: createHash('sha256').update(installScriptFor(context.found.release, [])).digest('hex'),
    zfsSource: context.found.zfs ?? null,
    output: context.paths.output,
  }),
  run: async (context, tools) => {
    const { output, work } = context.paths
    const { area, found, places, user } = context
    const take = (deb: string, to: string): Promise<unknown> => area.copyOut(deb, to, tools.signal)
    const packages = [
      ...found.kernelPackages,
      ...(found.zfs === undefined ? [] : [await zfsPackage(context, tools)]),
      ...(hasBootSettings(context)
        ? [await buildSettingsDeb(context, bootSettingsOf(context), places.debs, tools)]
        : []),
    ].sort()
    const aptDir = join(context.stateDir, 'apt')
    await makeAptFolder(context.apart, {
      debs: packages,
      copy: take,
      dir: aptDir,
      usedFrom: join(output, 'apt'),
      keyDir: join(work, 'keys', 'apt'),
      epoch: found.epoch,
      user,
      signal: tools.signal,
      line: tools.line,
    })
    await mkdir(output, { recursive: true })
    await removeOwn(output, (tools.previous as DeliverOutputs | undefined)?.files ?? [])
    for (const deb of packages) await take(deb, join(output, basename(deb)))
    await replaceFolder(aptDir, join(output, 'apt'))
    const names = packages.map((path) => basename(path))
    await atomicWrite(join(output, 'install.sh'), installScriptFor(found.release, names), { mode: 0o755 })
    const files = await describe(output, [...names, 'install.sh', 'apt'], tools)
    await atomicWrite(join(output, 'sha256sums'), sha256sums(files))
    const stamps = (await stampFiles(output)).filter(({ name }) => files.some(({ path }) => path === name))
    return { source: found.origin?.id ?? '', files, stamps }
  },
  intact: async (context, outputs) =>
    (await stampsHold(context.paths.output, outputs.stamps)) &&
    outputs.files.every(({ path }) => existsSync(join(context.paths.output, path))),
  adopt: (context, outputs) => {
    context.found.delivered = outputs.files
  },
  summary: ({ files }) =>
    `${files.filter(({ path }) => path.endsWith('.deb') && !path.includes('/')).length} packages`,
}

/** The text of install.sh for packages that lie beside it. */
export const installScriptFor = (release: string, files: readonly string[]): string =>
  installScript({
    kernelRelease: release,
    packages: files.map((file) => ({ name: file.split('_')[0] ?? '', file })),
  })

async function zfsPackage(context: HostKernelContext, tools: StepTools): Promise<string> {
  const { area, found, places } = context
  const spec = {
    release: found.release,
    imageVersion: packageVersion(context),
    zfsVersion: found.zfs?.version ?? '',
    maintainer,
  }
  const { control, scripts } = zfsModulesPackage(spec)
  return buildDeb(await context.session(tools.line), {
    area,
    stageDir: zfsStage(context),
    outDir: places.debs,
    control,
    scripts,
    epoch: found.epoch,
    signal: tools.signal,
    line: tools.line,
  })
}

/** What the last run put there would be taken for results of this one; what others put there is not ours. */
async function removeOwn(output: string, files: DeliverOutputs['files']): Promise<void> {
  for (const { path } of files) {
    if (path.endsWith('.deb') && !path.includes('/')) await removeTree(join(output, path))
  }
}

async function replaceFolder(from: string, to: string): Promise<void> {
  requireOwnFolder(to)
  const fresh = `${to}.new`
  await removeTree(fresh)
  await cp(from, fresh, { recursive: true, preserveTimestamps: true })
  await removeTree(to)
  await rename(fresh, to)
}

async function describe(
  output: string,
  names: readonly string[],
  tools: StepTools,
): Promise<DeliverOutputs['files']> {
  const files: { path: string; sha256: string }[] = []
  for (const name of names) {
    const entries =
      name === 'apt' ? await readdir(join(output, name), { recursive: true, withFileTypes: true }) : []
    const below = entries
      .filter((entry) => entry.isFile())
      .map((entry) => relative(output, join(entry.parentPath, entry.name)))
    for (const path of name === 'apt' ? below.sort() : [name]) {
      files.push({ path, sha256: await sha256File(join(output, path), { signal: tools.signal }) })
    }
  }
  return files
}

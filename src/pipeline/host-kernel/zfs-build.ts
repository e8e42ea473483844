import { isAbsolute, join, relative } from 'node:path'
import { buildError } from '../../core/errors.ts'
import { checkZfsModules, exportingModules, moduleName, parseModinfo } from '../../core/host/zfs-modules.ts'
import type { BuildArea } from '../../effects/beneath/area.ts'
import type { Session } from '../../effects/engine.ts'
import type { StepTools } from '../run.ts'
import { requireSuccess } from './session-output.ts'
import { configureZfs } from './zfs-configure.ts'
import { runZfsProgram } from './zfs-run.ts'

export interface ZfsBuild {
  readonly session: Session
  /** Holds all folders below. */
  readonly area: BuildArea
  /** The unpacked source (`ZfsSource.dir`); stays as it is. Beside it lie the build and its caches. */
  readonly zfsDir: string
  readonly kernelSrcDir: string
  /** The compiled kernel: Module.symvers, .config, modules. */
  readonly kernelObjDir: string
  /** Of the compiled kernel, as in /lib/modules/RELEASE. */
  readonly release: string
  /** Made or emptied, then lib/modules/RELEASE/extra with the modules comes into it. */
  readonly stageDir: string
  readonly jobs: number
  readonly ccache: boolean
  readonly tools: Pick<StepTools, 'line' | 'progress' | 'note' | 'signal' | 'logPath'>
}

export interface ZfsBuilt {
  /** What the modules call themselves, e.g. `2.3.9-0+deb13u1`. */
  readonly version: string
  /** Staged files, relative to the stage. */
  readonly files: readonly string[]
  readonly durationMs: number
}

/**
 * Configures, compiles and stages the ZFS modules for a compiled kernel, outside DKMS, and checks that it
 * would load them. Works on a copy of the source that is made anew each time, so nothing that an interrupted
 * run left matters; ccache and configure's kept answers make the repetition fast.
 * @throws build E_ZFS_BUILD, E_ZFS_MODULES, E_ZFS_KERNEL_TREE; infra E_DISK_FULL
 */
export async function buildZfs(build: ZfsBuild): Promise<ZfsBuilt> {
  const startedMs = performance.now()
  requireKernel(build)
  const tree = await freshCopy(build)
  await configureZfs(build, tree)
  await compile(build, tree)
  const files = await stage(build, tree)
  const version = await check(build, files)
  return { version, files, durationMs: Math.round(performance.now() - startedMs) }
}

/** Modules are compiled against headers of the release that was asked for, or against nothing. */
function requireKernel({ area, kernelObjDir, release }: ZfsBuild): void {
  const built = area.text(join(kernelObjDir, 'include/config/kernel.release'))?.trim()
  if (built !== release) {
    throw buildError(
      'E_ZFS_KERNEL_TREE',
      `${kernelObjDir} holds kernel ${built ?? 'nothing'}, ZFS is to be built for ${release}`,
      { hint: 'compile the kernel again' },
    )
  }
  if (!area.isFile(join(kernelObjDir, 'Module.symvers'))) {
    throw buildError('E_ZFS_KERNEL_TREE', `${kernelObjDir} has no Module.symvers`, {
      hint: 'compile the kernel with its modules (CONFIG_MODULES=y) first',
    })
  }
}

async function freshCopy({ session, area, zfsDir, tools }: ZfsBuild): Promise<string> {
  const tree = join(zfsDir, '..', 'build')
  await area.remove(tree)
  area.makeFolder(tree)
  // -a: make must not think that configure is older than what it is made of.
  await requireSuccess(session, ['cp', '-a', `${session.inside(zfsDir)}/.`, session.inside(tree)], {
    cwd: zfsDir,
    signal: tools.signal,
  })
  return tree
}

async function compile(build: ZfsBuild, tree: string): Promise<void> {
  const { tools, jobs } = build
  const total = objectCount(build, tree)
  let done = 0
  await runZfsProgram(build, ['make', `-j${jobs}`], {
    cwd: tree,
    what: 'the compilation of ZFS',
    onLine: (line) => {
      const object = /^\s*(?:CC|AS)\s+(?:\[M\])?\s*(\S+\.o)$/.exec(line)?.[1]
      if (object === undefined) return
      done += 1
      // Since 6.13 they are relative already.
      const item = isAbsolute(object) ? relative(build.session.inside(tree), object) : object
      tools.progress({ item, done, ...(total < done ? {} : { total }) })
    },
  })
}

/** Objects named in the module's Kbuild: for the progress only, so a rough count does. */
function objectCount({ area }: ZfsBuild, tree: string): number {
  const text = area.text(join(tree, 'module', 'Kbuild')) ?? ''
  return new Set(text.match(/[\w/-]+\.o\b/g) ?? []).size
}

async function stage(build: ZfsBuild, tree: string): Promise<readonly string[]> {
  const { session, area, stageDir, release } = build
  await area.remove(stageDir)
  area.makeFolder(stageDir)
  const argv = [
    'make',
    '-C',
    'module',
    'modules_install',
    `INSTALL_MOD_PATH=${session.inside(stageDir)}`,
    'INSTALL_MOD_DIR=extra',
    'INSTALL_MOD_STRIP=1',
    // The package's postinst does that, where the kernel's own modules are.
    'DEPMOD=true',
  ]
  await runZfsProgram(build, argv, { cwd: tree, what: 'the installation of ZFS into the stage' })
  const folder = join(stageDir, 'lib', 'modules', release, 'extra')
  return area
    .filesBelow(folder)
    .filter((name) => /\.ko(?:\.\w+)?$/.test(name))
    .map((name) => relative(stageDir, join(folder, name)))
    .sort()
}

/** @returns version of zfs.ko */
async function check(build: ZfsBuild, files: readonly string[]): Promise<string> {
  const { session, area, stageDir, kernelObjDir, release, tools } = build
  const modinfo = async (path: string) => {
    const argv = ['modinfo', session.inside(path)]
    const lines = await requireSuccess(session, argv, { cwd: stageDir, signal: tools.signal })
    return parseModinfo(lines, path.slice(path.lastIndexOf('/') + 1))
  }
  const modules = []
  for (const file of files) modules.push(await modinfo(join(stageDir, file)))
  const sample = firstModule(build)
  checkZfsModules(modules, {
    release,
    vermagic: sample === undefined ? undefined : (await modinfo(sample)).vermagic,
    modules: exportingModules(area.requireText(join(kernelObjDir, 'Module.symvers'))),
  })
  for (const { file, version, vermagic } of modules) tools.line(`${file}: ${version} for '${vermagic}'`)
  return modules.find(({ file }) => moduleName(file) === 'zfs')?.version ?? ''
}

/**
 * One of the kernel's own modules by its modules.order, whose paths end in `.ko` or, since 6.4, in `.o`;
 * undefined for a kernel without modules, or of which only the headers are there.
 */
function firstModule({ area, kernelObjDir }: ZfsBuild): string | undefined {
  const order = area.text(join(kernelObjDir, 'modules.order')) ?? ''
  const [line = ''] = order.split('\n', 1)
  return [line, line.replace(/^kernel\//, '')]
    .map((name) => join(kernelObjDir, name.replace(/\.o$/, '.ko')))
    .find((path) => path.endsWith('.ko') && !path.includes('..') && area.isFile(path))
}

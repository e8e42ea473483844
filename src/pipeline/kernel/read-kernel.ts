import type { KconfigTree } from '../../core/kconfig/tree/model.ts'
import { readWithBatches } from '../../core/kconfig/tree/probe-book.ts'
import type { Session } from '../../effects/engine.ts'
import { kernelEnvironment, readKernelTree } from '../../effects/kconfig-tree.ts'

interface Asker {
  readonly session: Session
  readonly signal: AbortSignal
}

/**
 * Reads the Kconfig files of a kernel, with the answers of the compiler in the buildroot (this machine may
 * have none).
 */
export async function readKernelInside(build: Asker, kernelDir: string): Promise<KconfigTree> {
  const ask = (commands: readonly string[], env?: Readonly<Record<string, string>>) =>
    askInside(build, kernelDir, commands, env)
  const [cc = '', rustc = ''] = await ask(['gcc --version', 'rustc --version'])
  const versions = { CC_VERSION_TEXT: firstLine(cc), RUSTC_VERSION_TEXT: firstLine(rustc) }
  const { PATH: _path, HOME: _home, ...env } = kernelEnvironment(kernelDir, { env: versions })
  return readWithBatches(
    (shell) => readKernelTree(kernelDir, { env: versions, shell }),
    (commands) => ask(commands, env as Readonly<Record<string, string>>),
  )
}

const firstLine = (text: string): string => text.split('\n', 1)[0]?.replaceAll('#', '') ?? ''

const mark = '=== answer ==='

/** Standard output of each of several shell commands, run one after the other in the kernel's folder. */
async function askInside(
  { session, signal }: Asker,
  cwd: string,
  commands: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<readonly string[]> {
  const script = `for command do echo; echo '${mark}'; /bin/sh -c "$command" 2>/dev/null; done; exit 0`
  const outputs: string[][] = []
  const onLine = (line: string, stream: 'out' | 'err'): void => {
    if (stream === 'err') return
    if (line === mark) outputs.push([])
    else outputs.at(-1)?.push(line)
  }
  await session.exec(['/bin/sh', '-c', script, 'sh', ...commands], { cwd, env, signal, onLine })
  return outputs.map((lines) => lines.join('\n'))
}

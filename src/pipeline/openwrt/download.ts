import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Step } from '../run.ts'
import type { OpenwrtContext } from './context.ts'
import { make } from './make.ts'

type DownloadOutputs = {
  readonly files: readonly { readonly name: string; readonly bytes: number; readonly mtimeMs: number }[]
}

/** The only step with a network: source archives, verified by hash or signature by the tree's own make. */
export const downloadStep: Step<OpenwrtContext, DownloadOutputs> = {
  id: 'download',
  title: 'Download sources',
  inputs: async (context) => ({
    commit: context.found.commit,
    config: context.found.configDigest,
    buildroot: context.buildrootInputs,
  }),
  run: async (context, tools) => {
    await make(context, ['download'], tools, context.offline ? {} : { network: 'online' })
    return { files: await listDownloads(context.paths.dl) }
  },
  intact: async (context, outputs) => {
    const present = new Map((await listDownloads(context.paths.dl)).map((file) => [file.name, file]))
    return outputs.files.every((file) => {
      const found = present.get(file.name)
      return found?.bytes === file.bytes && found.mtimeMs === file.mtimeMs
    })
  },
  adopt: () => {},
  summary: ({ files }) => `${files.length} files`,
}

async function listDownloads(folder: string): Promise<DownloadOutputs['files']> {
  const entries = await readdir(folder, { withFileTypes: true })
  const names = entries
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map((entry) => entry.name)
  return Promise.all(
    names.sort().map(async (name) => {
      const { size, mtimeMs } = await stat(join(folder, name))
      return { name, bytes: size, mtimeMs }
    }),
  )
}

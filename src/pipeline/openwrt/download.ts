import { stampFiles, stampsHold, type FileStamp } from '../../effects/file-stamps.ts'
import type { Step } from '../run.ts'
import type { OpenwrtContext } from './context.ts'
import { make } from './make.ts'

type DownloadOutputs = { readonly files: readonly FileStamp[] }

/** The only step with a network: source archives, verified by hash or signature by the tree's own make. */
export const downloadStep: Step<OpenwrtContext, DownloadOutputs> = {
  id: 'download',
  title: 'Download sources',
  version: 1,
  inputs: async (context) => ({
    commit: context.found.commit,
    config: context.found.configDigest,
    buildroot: context.buildrootInputs,
  }),
  run: async (context, tools) => {
    await make(context, ['download'], tools, context.offline ? {} : { network: 'online' })
    return { files: await stampFiles(context.paths.dl) }
  },
  intact: (context, outputs) => stampsHold(context.paths.dl, outputs.files),
  adopt: () => {},
  summary: ({ files }) => `${files.length} files`,
}

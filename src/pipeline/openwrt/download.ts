import { join } from 'node:path'
import { listBeneath } from '../../effects/beneath/read.ts'
import { removeBeneath } from '../../effects/beneath/remove.ts'
import { linkBeneath } from '../../effects/beneath/write.ts'
import { stampFiles, stampsHold, type FileStamp } from '../../effects/file-stamps.ts'
import type { Step } from '../run.ts'
import type { OpenwrtContext } from './context.ts'
import { make } from './make.ts'

type DownloadOutputs = {
  readonly files: readonly FileStamp[]
  /** Archives of the offered folder, as they were. */
  readonly offered?: readonly FileStamp[]
}

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
    const { dl, offered } = context.places
    // The folders are there from now on.
    await context.session((text) => tools.line(text))
    const archives = offered === undefined ? [] : await offerArchives(context, offered)
    await make(context, ['download'], tools, context.offline ? {} : { network: 'online' })
    return { files: await stampFiles(dl), ...(offered === undefined ? {} : { offered: archives }) }
  },
  intact: async ({ places: { dl, offered = '' } }, outputs) =>
    (await stampsHold(dl, outputs.files)) && (await stampsHold(offered, outputs.offered ?? [])),
  adopt: () => {},
  summary: ({ files, offered = [] }) =>
    offered.length === 0 ? `${files.length} files` : `${files.length} files, ${offered.length} offered`,
}

/**
 * Shows a build the archives that it may not write to, by a link each to where the session has them. What it
 * downloaded itself stays.
 */
async function offerArchives(
  { places: { dl }, user, inside }: OpenwrtContext,
  offered: string,
): Promise<readonly FileStamp[]> {
  for (const { name, kind } of listBeneath(dl, '')) if (kind === 'link') await removeBeneath(dl, name)
  const own = new Set(listBeneath(dl, '').map(({ name }) => name))
  const archives = (await stampFiles(offered)).filter(({ name }) => !own.has(name))
  for (const { name } of archives) linkBeneath(dl, name, inside(join(offered, name)), { owner: user })
  return archives
}

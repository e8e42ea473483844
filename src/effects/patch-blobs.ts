import { spawnSync } from 'node:child_process'

/** Larger blobs are no text that a patch is for. */
const maxBlobBytes = 64 * 1024 * 1024

/**
 * Reads blobs of the git repository that a tree lies in, for three-way placement.
 * @returns a function that gives undefined where there is no repository, no git, or no such blob
 */
export function blobReader(root: string): (id: string) => Uint8Array | undefined {
  return (id) => {
    if (!/^[0-9a-f]{7,64}$/.test(id)) return undefined
    const run = spawnSync('git', ['-C', root, 'cat-file', 'blob', id], {
      maxBuffer: maxBlobBytes,
      stdio: ['ignore', 'pipe', 'ignore'],
      // A partial clone must not go to the network, or run what its configuration names for that.
      env: { ...process.env, GIT_NO_LAZY_FETCH: '1', GIT_ALLOW_PROTOCOL: 'none' },
    })
    return run.status === 0 ? run.stdout : undefined
  }
}

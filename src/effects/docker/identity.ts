import type { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import type Docker from 'dockerode'
import { extract, pack } from 'tar-stream'
import type { BuildUser } from '../engine.ts'
import { statusOf } from './client.ts'

/** Home directory and login name of the build user inside; the image cannot know the caller's uid. */
export const buildHome = '/home/fwbuild'
export const buildLogin = 'fwbuild'

/** Account file with a line for the id added, unless one has it (the third field, in passwd and group alike). */
export function withAccount(file: string, id: number, line: string): string {
  const lines = file.split('\n').filter((entry) => entry !== '')
  if (!lines.some((entry) => entry.split(':')[2] === String(id))) lines.push(line)
  return `${lines.join('\n')}\n`
}

/** Gives the build user an account and a home in a container that was created and not started yet. */
export async function addIdentity(container: Docker.Container, user: BuildUser): Promise<void> {
  const passwd = await readFileIn(container, '/etc/passwd', 'root:x:0:0:root:/root:/bin/sh\n')
  const group = await readFileIn(container, '/etc/group', 'root:x:0:\n')
  const { uid, gid } = user
  const archive = pack()
  archive.entry(
    { name: 'etc/passwd', mode: 0o644 },
    withAccount(passwd, uid, `${buildLogin}:x:${uid}:${gid}:fwbuild:${buildHome}:/bin/bash`),
  )
  archive.entry({ name: 'etc/group', mode: 0o644 }, withAccount(group, gid, `${buildLogin}:x:${gid}:`))
  archive.entry({ name: `${buildHome.slice(1)}/`, type: 'directory', mode: 0o755, uid, gid })
  archive.finalize()
  await container.putArchive(await buffer(archive), { path: '/' })
}

async function readFileIn(container: Docker.Container, path: string, absent: string): Promise<string> {
  try {
    return await firstFile((await container.getArchive({ path })) as Readable, absent)
  } catch (error) {
    if (statusOf(error) === 404) return absent
    throw error
  }
}

async function firstFile(archive: Readable, absent: string): Promise<string> {
  for await (const entry of archive.pipe(extract())) {
    if (entry.header.type === 'file') return (await buffer(entry)).toString('utf8')
    entry.resume()
  }
  return absent
}

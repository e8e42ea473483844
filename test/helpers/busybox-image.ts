import { spawnSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import { pack } from 'tar-stream'
import { needProgram, type Need } from './need.ts'

export const busyboxImage = 'fwbuild-test:busybox'

/** The host's static BusyBox, small enough to make an image of in a moment. */
export const needBusybox = (): Need => ({
  ...needProgram('/bin/busybox', ['true']),
  name: 'busybox-static',
})

/** Makes the image the engine's tests run in, unless an earlier run did. */
export async function makeBusyboxImage(): Promise<void> {
  if (spawnSync('docker', ['image', 'inspect', busyboxImage]).status === 0) return
  const archive = pack()
  archive.entry({ name: 'bin/busybox', mode: 0o755 }, await readFile('/bin/busybox'))
  const applets = spawnSync('/bin/busybox', ['--list'], { encoding: 'utf8' }).stdout.trim().split('\n')
  for (const applet of applets) {
    if (applet === 'busybox') continue
    archive.entry({ name: `bin/${applet}`, type: 'symlink', linkname: 'busybox' })
  }
  for (const [name, mode] of [
    ['tmp/', 0o1777],
    ['etc/', 0o755],
    ['proc/', 0o755],
    ['dev/', 0o755],
  ] as const) {
    archive.entry({ name, type: 'directory', mode })
  }
  archive.entry({ name: 'etc/passwd', mode: 0o644 }, 'root:x:0:0:root:/root:/bin/sh\n')
  archive.finalize()
  const result = spawnSync('docker', ['import', '-', busyboxImage], { input: await buffer(archive) })
  if (result.status !== 0) throw new Error(result.stderr.toString())
}

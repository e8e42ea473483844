import { Socket } from 'node:net'
import type Docker from 'dockerode'

/**
 * Main process of a build's container: sleeps until its standard input ends, which Docker closes when the
 * connection that holds it is gone, whatever became of fwbuild. It runs under docker-init, which reaps what
 * execs leave behind; when it ends, the container does.
 */
export const untilInputEnds: readonly string[] = ['/bin/sh', '-c', 'exec cat >/dev/null']

/** For createContainer: the input is there, and closed with its only connection. */
export const lifelineInput = { OpenStdin: true, StdinOnce: true, AttachStdin: true } as const

/** A quiet connection over TCP is not to be forgotten by what stands between. */
const keepAliveMs = 30_000

/**
 * Holds the standard input of a container that was created and not started yet: from its start on it lives
 * only as long as this process does, and not beyond `dispose`.
 */
export async function holdLifeline(container: Docker.Container): Promise<Disposable> {
  const stream = await container.attach({ stream: true, stdin: true, hijack: true })
  // When it breaks the container ends, and the command that runs in it tells.
  stream.on('error', () => {})
  stream.resume()
  if (stream instanceof Socket) stream.setKeepAlive(true, keepAliveMs)
  return { [Symbol.dispose]: () => void (stream as Socket).destroy() }
}

import { setTimeout as sleep } from 'node:timers/promises'
import type Docker from 'dockerode'
import { infraError } from '../../core/errors.ts'

const timeoutMs = 15_000
const pollMs = 50

/**
 * Exit code of an exec whose streams are closed: the daemon closes them a moment before it knows the code.
 * @throws infra E_DOCKER_GONE when the command goes on, so that only the connection ended
 */
export async function exitCodeOf(exec: Docker.Exec): Promise<number> {
  for (let waitedMs = 0; waitedMs < timeoutMs; waitedMs += pollMs) {
    const state = await exec.inspect()
    if (!state.Running && state.ExitCode !== null) return state.ExitCode
    await sleep(pollMs)
  }
  throw infraError('E_DOCKER_GONE', 'the connection to the Docker daemon broke while a command ran', {
    retryable: true,
  })
}

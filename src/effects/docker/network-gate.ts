import type Docker from 'dockerode'
import { infraError } from '../../core/errors.ts'

/**
 * The container's only network, attached while at least one online command runs.
 * Commands that run at the same time share the container, so they share the network too.
 */
export class NetworkGate {
  readonly #docker: Docker
  readonly #container: Docker.Container
  readonly #network: string
  #holders = 0
  #turn: Promise<void> = Promise.resolve()

  private constructor(docker: Docker, container: Docker.Container, network: string) {
    this.#docker = docker
    this.#container = container
    this.#network = network
  }

  /** Takes a running container off the network it was started with, and makes sure that none is left. */
  static async close(docker: Docker, container: Docker.Container): Promise<NetworkGate> {
    const [network] = Object.keys((await container.inspect()).NetworkSettings.Networks)
    if (network === undefined) {
      throw infraError('E_DOCKER_NETWORK', 'Docker gave the container no network to download with', {
        hint: 'The default bridge of the Docker daemon is needed (dockerd without --bridge=none).',
      })
    }
    const gate = new NetworkGate(docker, container, network)
    await gate.#detach()
    return gate
  }

  /** Attaches the network; the result gives it back and is to be called exactly once. */
  async hold(): Promise<() => Promise<void>> {
    await this.#inTurn(async () => {
      if (this.#holders === 0) await this.#docker.getNetwork(this.#network).connect(this.#target())
      this.#holders += 1
    })
    return () =>
      this.#inTurn(async () => {
        this.#holders -= 1
        if (this.#holders === 0) await this.#detach()
      })
  }

  async #detach(): Promise<void> {
    await this.#docker.getNetwork(this.#network).disconnect({ ...this.#target(), Force: true })
    const left = Object.keys((await this.#container.inspect()).NetworkSettings.Networks)
    if (left.length > 0) {
      throw infraError(
        'E_DOCKER_NETWORK',
        `the container could not be taken off the network ${left.join(', ')}`,
      )
    }
  }

  #target(): { Container: string } {
    return { Container: this.#container.id }
  }

  #inTurn(action: () => Promise<void>): Promise<void> {
    const result = this.#turn.then(action)
    // A failure belongs to the caller of this turn, not to the next one.
    this.#turn = result.catch(() => {})
    return result
  }
}

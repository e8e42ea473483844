import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import test, { type ExecutionContext, type Implementation } from 'ava'

export interface Need {
  /** Shown as the reason when the test is skipped. */
  readonly name: string
  readonly present: boolean
}

const runs = (command: string, args: readonly string[]): boolean =>
  spawnSync(command, args, { stdio: 'ignore', timeout: 20_000 }).status === 0

/** A program on PATH that answers `args` with 0. */
export const needProgram = (command: string, args: readonly string[] = ['--version']): Need => ({
  name: command,
  present: runs(command, args),
})

/** A file that a package installs. */
export const needFile = (path: string): Need => ({ name: path, present: existsSync(path) })

/** A Docker daemon that answers. */
export const needDocker = (): Need => ({ name: 'a Docker daemon', present: runs('docker', ['info']) })

/**
 * A test that needs something of the machine: skipped with the reason where it is missing,
 * failed instead of skipped when CI=true.
 */
export function testWith(needs: readonly Need[], title: string, body: Implementation<[]>): void {
  const missing = needs.filter((need) => !need.present).map((need) => need.name)
  if (missing.length === 0) {
    test.serial(title, body)
    return
  }
  const reason = `${title} (needs ${missing.join(', ')})`
  if (process.env['CI'] === 'true') {
    test(reason, (t: ExecutionContext) => t.fail(`missing on a CI machine: ${missing.join(', ')}`))
  } else test.skip(reason, body)
}

import { existsSync } from 'node:fs'
import { readdir, readFile, readlink, rm } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

const pollMs = 100
const orphanTimeoutMs = 60_000

/**
 * Removes a lock file that a killed run left, which git itself never does. The caller holds the work
 * directory's lock, so the owner can only be a git that outlived its fwbuild: it is let finish first.
 * @param directories where that git would have been started
 */
export async function removeLeftLock(lockFile: string, directories: readonly string[]): Promise<void> {
  const giveUpMs = performance.now() + orphanTimeoutMs
  while (existsSync(lockFile) && performance.now() < giveUpMs && (await gitRunsIn(directories))) {
    await sleep(pollMs)
  }
  await rm(lockFile, { force: true })
}

async function gitRunsIn(directories: readonly string[]): Promise<boolean> {
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    try {
      const name = (await readFile(`/proc/${pid}/comm`, 'utf8')).trim()
      if (name === 'git' && directories.includes(await readlink(`/proc/${pid}/cwd`))) return true
    } catch {
      // Ended in between, or another user's.
    }
  }
  return false
}

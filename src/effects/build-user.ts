import type { BuildUser } from './engine.ts'

/**
 * Owner of builds that root starts without sudo. Above the ranges Debian gives to people (1000…59999) and
 * packages (60000…60999 and below 1000), below those of subordinate ids (100000…) and systemd (61184…).
 */
export const fallbackUser: BuildUser = { uid: 61_000, gid: 61_000 }

const rootUid = 0

/**
 * Who a build runs as: the caller; where that is root, whoever called sudo, else `fallbackUser`. Never root.
 * @param ids the caller's ids; default: this process
 */
export function buildUser(
  env: Readonly<Record<string, string | undefined>>,
  ids: BuildUser = { uid: process.getuid?.() ?? rootUid, gid: process.getgid?.() ?? rootUid },
): BuildUser {
  if (ids.uid !== rootUid) return ids
  const uid = idOf(env['SUDO_UID'])
  const gid = idOf(env['SUDO_GID'])
  return uid === undefined || gid === undefined ? fallbackUser : { uid, gid }
}

function idOf(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,9}$/.test(text)) return undefined
  return Number(text) === rootUid ? undefined : Number(text)
}

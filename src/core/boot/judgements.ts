/** What a command's output means. */
export interface Judgement {
  readonly passed: boolean
  readonly detail: string
  /** Set where waiting cannot help. */
  readonly final?: boolean
}

interface Mount {
  readonly device: string
  readonly mountPoint: string
  readonly type: string
  readonly writable: boolean
}

/** Fields of /proc/self/mountinfo, proc(5). */
const mountLine =
  /^\d+ \d+ (?<device>\d+:\d+) \S+ (?<point>\S+) (?<flags>\S+)(?: \S+)*? - (?<type>\S+) \S+ (?<super>\S+)$/

/**
 * The root file system: ext4 directly on the expected disk, or an overlay whose /rom is there, and
 * writable either way.
 * @param output /proc/self/mountinfo followed by /proc/partitions
 */
export function judgeRoot(output: string, expectedDisk: string): Judgement {
  const mounts = new Map<string, Mount>()
  const deviceNames = new Map<string, string>()
  for (const line of output.split('\n').map((raw) => raw.trim())) {
    const mount = mountLine.exec(line)?.groups
    if (mount !== undefined) {
      const options = [...(mount['flags'] ?? '').split(','), ...(mount['super'] ?? '').split(',')]
      // A later mount hides an earlier one on the same point.
      mounts.set(mount['point'] ?? '', {
        device: mount['device'] ?? '',
        mountPoint: mount['point'] ?? '',
        type: mount['type'] ?? '',
        writable: !options.includes('ro'),
      })
    }
    const partition = /^(\d+)\s+(\d+)\s+\d+\s+(\S+)$/.exec(line)
    if (partition !== null) deviceNames.set(`${partition[1]}:${partition[2]}`, partition[3] ?? '')
  }
  const root = mounts.get('/')
  if (root === undefined) return { passed: false, detail: 'no root file system in /proc/self/mountinfo' }
  if (!root.writable) return { passed: false, detail: `/ is ${root.type}, mounted read-only` }
  const lower = root.type === 'overlay' ? mounts.get('/rom') : root
  if (lower === undefined) return { passed: false, detail: '/ is an overlay, and /rom is not mounted' }
  const device = deviceNames.get(lower.device) ?? lower.device
  const upper = mounts.get('/overlay')
  const what =
    lower === root
      ? `${root.type} on ${device}, read-write`
      : `overlay over ${lower.type} on ${device}${upper === undefined ? '' : `, changes on ${upper.type}`}`
  return device.startsWith(expectedDisk)
    ? { passed: true, detail: what }
    : { passed: false, detail: `${what}; expected it on ${expectedDisk}` }
}

/** `ip -4 addr show dev br-lan`: up, with OpenWrt's default address. */
export function judgeNetwork(output: string): Judgement {
  const address = /inet (\d+\.\d+\.\d+\.\d+)/.exec(output)?.[1]
  const flags = /<([A-Z0-9_,-]+)>/.exec(output)?.[1]?.split(',') ?? []
  if (flags.length === 0) return { passed: false, detail: 'there is no interface br-lan' }
  if (!flags.includes('UP')) return { passed: false, detail: 'br-lan is down' }
  if (address === undefined) return { passed: false, detail: 'br-lan is up and has no IPv4 address' }
  return { passed: address === '192.168.1.1', detail: `br-lan is up with ${address}` }
}

/** `ubus call system board`: a JSON document; what it says is recorded. */
export function judgeBoard(output: string, exitCode: number): Judgement {
  const start = output.indexOf('{')
  const end = output.lastIndexOf('}')
  try {
    const board = JSON.parse(output.slice(start, end + 1)) as Record<string, unknown>
    return { passed: exitCode === 0, detail: JSON.stringify(board) }
  } catch {
    return { passed: false, detail: `ubus gave no board description: ${output.trim().split('\n')[0] ?? ''}` }
  }
}

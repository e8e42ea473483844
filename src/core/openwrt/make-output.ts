import { tellsDiskFull } from '../disk-full.ts'

/**
 * What OpenWrt's make says on its way. Lines of interest, read off lede-17.01 to main:
 *   ` make[3] -C package/libs/zlib compile`         a step begins (without V=s)
 *   `time: package/libs/zlib/compile#1.20#0.31#2.1` a step ended (with V=s, from 18.06)
 *   `    ERROR: package/libs/zlib failed to build.` a package failed (reliable from 21.02)
 *   `make[2]: *** [package/Makefile:116: package/libs/zlib/compile] Error 2`
 */
export type MakeEvent =
  | { readonly type: 'begin'; readonly item: string; readonly target: string }
  | { readonly type: 'finish'; readonly item: string; readonly target: string }
  | { readonly type: 'failed'; readonly item: string; readonly target: string }
  | { readonly type: 'disk-full' }

const roots = '(?:package|tools|toolchain|target)'
const begin = new RegExp(`^\\s*make\\[\\d+\\](?: -[A-Za-z]\\S*)* -C (${roots}\\S*) ([\\w-]+)\\s*$`)
const finish = new RegExp(`^time: (${roots}\\S*)/([\\w-]+)#[\\d.]+#[\\d.]+#[\\d.]+$`)
const failed = new RegExp(`^\\s*ERROR: (${roots}\\S*) failed to build\\b`)
const makeError = new RegExp(
  `^make(?:\\[\\d+\\])?: \\*\\*\\* \\[(?:\\S+:\\d+: )?(${roots}/\\S*)/([\\w-]+)\\] Error \\d+`,
)

/** Reads one line of make's output; `undefined` where it tells nothing. */
export function readMakeLine(line: string): MakeEvent | undefined {
  if (tellsDiskFull(line)) return { type: 'disk-full' }
  for (const [type, pattern] of [
    ['begin', begin],
    ['finish', finish],
    ['failed', failed],
    ['failed', makeError],
  ] as const) {
    const match = pattern.exec(line)
    if (match?.[1] !== undefined) return { type, item: match[1], target: match[2] ?? 'compile' }
  }
  return undefined
}

const errorLine =
  /(?:^|\s)(?:Build dependency:|error:|Error:|ERROR:|fatal error:|undefined reference|No rule to make target|cannot find|not found$|\*\*\*)/

/**
 * The first lines that look like the cause of a failure, with what follows each, at most `limit` lines.
 * @param lines output of the verbose single-job run
 */
export function firstErrorLines(lines: readonly string[], limit = 12): readonly string[] {
  const first = lines.findIndex((line) => errorLine.test(line) && readMakeLine(line) === undefined)
  if (first === -1) return lines.slice(-limit)
  const start = Math.max(0, first - 2)
  return lines.slice(start, start + limit)
}

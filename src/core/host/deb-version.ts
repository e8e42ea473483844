/**
 * Orders two Debian versions as deb-version(7) says: epoch, upstream version, revision; in each, runs of other
 * characters and of digits in turn, `~` before everything, even the end, letters before other signs.
 * @returns negative when `a` is older
 */
export function compareDebVersions(a: string, b: string): number {
  const [left, right] = [partsOf(a), partsOf(b)]
  return (
    left.epoch - right.epoch ||
    comparePart(left.upstream, right.upstream) ||
    comparePart(left.revision, right.revision)
  )
}

function partsOf(version: string): { epoch: number; upstream: string; revision: string } {
  const colon = version.indexOf(':')
  const rest = version.slice(colon + 1)
  const dash = rest.lastIndexOf('-')
  return {
    epoch: colon === -1 ? 0 : Number(version.slice(0, colon)),
    upstream: dash === -1 ? rest : rest.slice(0, dash),
    revision: dash === -1 ? '' : rest.slice(dash + 1),
  }
}

function comparePart(a: string, b: string): number {
  let [left, right] = [a, b]
  while (left !== '' || right !== '') {
    const [signs, otherSigns] = [/^\D*/.exec(left)?.[0] ?? '', /^\D*/.exec(right)?.[0] ?? '']
    for (let at = 0; at < Math.max(signs.length, otherSigns.length); at += 1) {
      const order = weightOf(signs[at]) - weightOf(otherSigns[at])
      if (order !== 0) return order
    }
    ;[left, right] = [left.slice(signs.length), right.slice(otherSigns.length)]
    const [digits, otherDigits] = [/^\d*/.exec(left)?.[0] ?? '', /^\d*/.exec(right)?.[0] ?? '']
    const order = Number(digits) - Number(otherDigits)
    if (order !== 0) return order
    ;[left, right] = [left.slice(digits.length), right.slice(otherDigits.length)]
  }
  return 0
}

const weightOf = (sign: string | undefined): number => {
  if (sign === '~') return -1
  if (sign === undefined) return 0
  return /[A-Za-z]/.test(sign) ? sign.charCodeAt(0) : sign.charCodeAt(0) + 256
}

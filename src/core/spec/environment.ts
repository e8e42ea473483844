import { usageError } from '../errors.ts'
import { nearestNames } from '../kconfig/nearest.ts'
import { openwrtLayer, type OpenwrtLayer } from './options.ts'

const prefix = 'FWBUILD_'
/** Set by the launcher. */
const notForUsers: ReadonlySet<string> = new Set(['FWBUILD_NOHUP'])

/** `rootfsSizeMb` → `FWBUILD_ROOTFS_SIZE_MB`. */
const variableOf = (name: string): string =>
  `${prefix}${name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`

/**
 * Options given as FWBUILD_* variables; lists are separated by commas, switches are 1/0 or true/false.
 * @throws usage error that names the variable
 */
export function environmentLayer(env: Readonly<Record<string, string | undefined>>): OpenwrtLayer {
  const raw: Record<string, unknown> = {}
  for (const [name, schema] of Object.entries(openwrtLayer.shape)) {
    const text = env[variableOf(name)]
    if (text === undefined || text === '') continue
    raw[name] = convert(text, schema.unwrap().type)
  }
  const checked = openwrtLayer.safeParse(raw)
  if (checked.success) return checked.data
  const issue = checked.error.issues[0]
  const variable = variableOf(String(issue?.path[0]))
  throw usageError('E_ENV_INVALID', `${variable}=${env[variable]}: ${issue?.message}`)
}

/** One line for each variable that looks like a setting and is none: a typing error would go unnoticed. */
export function unknownVariables(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  const known = new Set(Object.keys(openwrtLayer.shape).map(variableOf))
  const bare = (variable: string): string => variable.slice(prefix.length)
  return Object.keys(env)
    .filter((name) => name.startsWith(prefix) && !known.has(name) && !notForUsers.has(name))
    .sort()
    .map((name) => {
      const [nearest] = nearestNames(bare(name), [...known].map(bare))
      const instead = nearest === undefined ? '' : `; was ${prefix}${nearest} meant?`
      return `${name} is set, but there is no such setting${instead}`
    })
}

function convert(text: string, type: string): unknown {
  if (type === 'array') return text.split(',').filter(Boolean)
  if (type === 'number') return Number(text)
  if (type === 'boolean') return { '1': true, true: true, '0': false, false: false }[text] ?? text
  return text
}

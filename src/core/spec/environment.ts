import { usageError } from '../errors.ts'
import { nearestNames } from '../kconfig/nearest.ts'
import { hostKernelLayer, openwrtLayer, type HostKernelLayer, type OpenwrtLayer } from './options.ts'

const prefix = 'FWBUILD_'
/** Set by the launcher. */
const notForUsers: ReadonlySet<string> = new Set(['FWBUILD_NOHUP'])

/** `rootfsSizeMb` → `FWBUILD_ROOTFS_SIZE_MB`. */
const variableOf = (name: string): string =>
  `${prefix}${name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`

type Env = Readonly<Record<string, string | undefined>>

/**
 * Options given as FWBUILD_* variables; lists are separated by commas, switches are 1/0 or true/false.
 * @param layer the options of the command that runs
 * @throws usage error that names the variable
 */
export function environmentLayer(env: Env, layer: typeof openwrtLayer): OpenwrtLayer
export function environmentLayer(env: Env, layer: typeof hostKernelLayer): HostKernelLayer
export function environmentLayer(
  env: Env,
  layer: typeof openwrtLayer | typeof hostKernelLayer,
): OpenwrtLayer | HostKernelLayer {
  const raw: Record<string, unknown> = {}
  for (const [name, schema] of Object.entries(layer.shape)) {
    const text = env[variableOf(name)]
    if (text === undefined || text === '') continue
    raw[name] = convert(text, schema.unwrap().type)
  }
  const checked = layer.safeParse(raw)
  if (checked.success) return checked.data
  const issue = checked.error.issues[0]
  const variable = variableOf(String(issue?.path[0]))
  throw usageError('E_ENV_INVALID', `${variable}=${env[variable]}: ${issue?.message}`)
}

/** One line for each variable that looks like a setting of any command and is none: a typing error would go unnoticed. */
export function unknownVariables(env: Env): readonly string[] {
  const names = [openwrtLayer, hostKernelLayer].flatMap((layer) => Object.keys(layer.shape))
  const known = new Set(names.map(variableOf))
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

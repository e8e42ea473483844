import { usageError } from '../errors.ts'
import type { HostKernelLayer, hostKernelLayer, OpenwrtLayer, openwrtLayer } from './options.ts'

/** `rootfsSizeMb` → `FWBUILD_ROOTFS_SIZE_MB`. */
const variableOf = (name: string): string =>
  `FWBUILD_${name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`

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

function convert(text: string, type: string): unknown {
  if (type === 'array') return text.split(',').filter(Boolean)
  if (type === 'number') return Number(text)
  if (type === 'boolean') return { '1': true, true: true, '0': false, false: false }[text] ?? text
  return text
}

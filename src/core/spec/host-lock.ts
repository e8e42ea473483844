import { z } from 'zod'
import { usageError } from '../errors.ts'
import { canonicalJson } from '../json.ts'

const hostLockSchema = z.strictObject({
  version: z.literal(1),
  kind: z.literal('host-kernel'),
  source: z.strictObject({
    id: z.string().describe('package=version, commit, or sha256:… of a tarball'),
    sha256: z.string().nullable(),
  }),
  patches: z.array(z.strictObject({ name: z.string(), sha256: z.string() })),
  zfs: z.string().nullable().describe('version of the modules'),
  buildroot: z.strictObject({ image: z.string(), id: z.string() }).nullable(),
})

/** Pins of a host kernel: source and patches by content, ZFS by version, the buildroot image. */
export type HostLock = z.infer<typeof hostLockSchema>

const hint = 'the output folder of a build holds one: out/host-kernel/fwbuild-host.lock'

/** @throws usage error when the text is no lock file of a host kernel */
export function parseHostLock(text: string, file: string): HostLock {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw usageError('E_LOCK_SYNTAX', `${file} is not JSON`, { cause, hint })
  }
  const checked = hostLockSchema.safeParse(value)
  if (checked.success) return checked.data
  const issue = checked.error.issues[0]
  throw usageError('E_LOCK_INVALID', `${file}: ${issue?.path.join('.')}: ${issue?.message}`, { hint })
}

export const renderHostLock = (lock: HostLock): string => canonicalJson(lock)

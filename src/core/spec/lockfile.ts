import { z } from 'zod'
import { usageError } from '../errors.ts'
import { canonicalJson } from '../json.ts'

const lockedSource = z.strictObject({
  location: z.string(),
  ref: z.string(),
  commit: z.string().regex(/^[0-9a-f]{40}$/),
})

const lockSchema = z.strictObject({
  version: z.literal(1),
  release: z.string(),
  sources: z.array(lockedSource),
  patches: z.array(z.strictObject({ name: z.string(), sha256: z.string() })),
  buildroot: z.strictObject({ image: z.string(), id: z.string() }).nullable(),
})

/** Pins of one release: sources with commits, patches by content, the buildroot image. */
export type Lockfile = z.infer<typeof lockSchema>

/** @throws usage error when the text is no lock file of this version */
export function parseLockfile(text: string, file: string): Lockfile {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw usageError('E_LOCK_SYNTAX', `${file} is not JSON`, {
      cause,
      hint: 'fwbuild lock --update writes a new one',
    })
  }
  const checked = lockSchema.safeParse(value)
  if (checked.success) return checked.data
  const issue = checked.error.issues[0]
  throw usageError('E_LOCK_INVALID', `${file}: ${issue?.path.join('.')}: ${issue?.message}`, {
    hint: 'fwbuild lock --update writes a new one',
  })
}

export const renderLockfile = (lock: Lockfile): string => canonicalJson(lock)

/** Commit that the lock pins for a source, if it names the source. */
export const lockedCommit = (lock: Lockfile | undefined, location: string, ref: string): string | undefined =>
  lock?.sources.find((source) => source.location === location && source.ref === ref)?.commit

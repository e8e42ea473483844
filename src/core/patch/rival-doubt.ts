import { type Contender, doubted } from './choose.ts'

/** This much of the old text at the very line named means that some of it was edited there. */
const minAtNamed = 0.6

/**
 * Places where the old text stands whole, doubted where the line named has it nearly so: it may be a copy of
 * what was edited. Where the section agrees it is not.
 */
export function besideNamed(
  exact: readonly Contender[],
  near: readonly Contender[],
  named: number,
): readonly Contender[] {
  const isEdited = near.some(({ candidate, worth }) => candidate.origin === named && worth >= minAtNamed)
  if (!isEdited || exact.some(({ worth }) => worth > 1)) return exact
  const doubt = 'the old text stands here as it is, and at the line that the patch names nearly so'
  return exact.map((one) => doubted(one, doubt))
}

/** Places where the old text stands nearly, doubted where it stands whole in one other. */
export function besideWhole(near: readonly Contender[], exact: readonly Contender[]): readonly Contender[] {
  const isElsewhere = exact.length === 1 && exact[0]?.candidate.kind === 'exact'
  if (!isElsewhere) return near
  return near.map((one) => doubted(one, 'the old text stands here nearly, and as it is in another place'))
}

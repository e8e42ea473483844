import { placesAsWritten, type SidedHunk } from './as-written.ts'
import { type Candidate, driftedCandidates, exactCandidates } from './candidates.ts'
import { chooseTogether, type Contender, type Contest } from './choose.ts'
import type { FileText } from './file-text.ts'
import { hunkSides, type HunkSides } from './hunk-sides.ts'
import { withFileEnds } from './file-ends.ts'
import type { Hunk } from './model.ts'
import type { HunkPlacement, PlacedHunk, PlacementCandidate } from './placement.ts'
import { besideNamed, besideWhole } from './rival-doubt.ts'
import { sectionDoubt } from './section-doubt.ts'
import { type Sections, sectionsOf } from './section.ts'
import { mapSteps, type Steps } from '../steps.ts'
import { inPlace } from './work.ts'

export interface PlaceOptions {
  /** Take the best place even where it is not clearly the right one, and mark it low confidence. */
  readonly bestEffort: boolean
}

/** Below this share of its old text found, a place proves nothing; less will do beside telling lines. */
const minWorth = { loose: 0.55, anchored: 0.3 } as const
/** The best place must be ahead of the second by this much. */
const minLead = 0.1
const sectionBonus = { same: 0.1, unknown: 0, other: -0.15 } as const
const maxContenders = 40
const maxListed = 5

/** Why a hunk is refused that has no best place. */
export const severalPlaces = 'the hunk fits about equally well in several places'

/**
 * Finds the place of each hunk of one file. Hunks keep their order and never overlap; places compete on
 * how much of the old text stands there, on the section it lies in, and on agreeing offsets.
 */
export function* placeHunks(
  file: FileText,
  hunks: readonly Hunk[],
  options: PlaceOptions,
): Steps<PlacedHunk[]> {
  const sections = sectionsOf(file)
  const all = yield* mapSteps(hunks, (hunk) => ({ hunk, sides: hunkSides(hunk), named: namedLine(hunk) }))
  const asWritten = yield* placesAsWritten(file, all, sections)
  if (asWritten !== undefined) {
    return withoutOverlaps(
      yield* mapSteps(asWritten, ({ candidate, named }) =>
        found(candidate, named, [listing({ candidate, worth: candidate.score })], undefined),
      ),
    )
  }
  const contests: Contest[] = []
  for (const [at, one] of all.entries()) {
    try {
      contests.push(contestOf(file, one, sections))
    } catch (error) {
      throw inPlace(error, `hunk ${at + 1}`)
    }
    yield
  }
  const choices = yield* chooseTogether(contests, file.spend)
  const placed = yield* mapSteps(contests, (contest, at) => {
    const { chosen, losses } = choices[at] ?? { chosen: -1, losses: [] }
    return verdictOf(contest, chosen, losses, options)
  })
  return withoutOverlaps(placed)
}

/** Two hunks that want the same lines tie with leaving the other out: then the first has them. */
function withoutOverlaps(placed: readonly PlacedHunk[]): PlacedHunk[] {
  let end = 0
  return placed.map((hunk) => {
    const [first, last] = [hunk.edits[0], hunk.edits.at(-1)]
    if (first === undefined || last === undefined) return hunk
    if (first.at < end) {
      return conflict('its changes overlap those of the hunk before it', hunk.placement.candidates)
    }
    end = last.at + last.removed
    return hunk
  })
}

function namedLine(hunk: Hunk): number {
  return hunk.old.count === 0 ? hunk.old.start : hunk.old.start - 1
}

function contestOf(file: FileText, { hunk, sides, named }: SidedHunk, sections: Sections): Contest {
  if (sides.pre.length === 0) return { named, contenders: withoutContext(file, sides, named) }
  const contender = (candidate: Candidate): Contender => ({
    candidate: {
      ...candidate,
      doubt: candidate.doubt ?? sectionDoubt(file.lines, hunk, sides, candidate, sections),
    },
    worth: candidate.score + sectionBonus[sections.judge(hunk.section, candidate.start)],
  })
  const exact = exactCandidates(file, sides, named).map(contender)
  const near = isClear(exact, named) ? [] : drifted(file, sides, exact).map(contender)
  const all = [...besideNamed(exact, near, named), ...besideWhole(near, exact)]
  const contenders = all.flatMap((one) =>
    isAsNamed(one, named) && Math.min(sides.leading, sides.trailing) > 0
      ? [one]
      : withFileEnds(file, sides, one, named),
  )
  contenders.sort((a, b) => b.worth - a.worth || distance(a, named) - distance(b, named))
  return { named, contenders: contenders.slice(0, maxContenders) }
}

const distance = ({ candidate }: Contender, named: number): number => Math.abs(candidate.origin - named)

/** Where the line number is right, too, odd amounts of context are just how the patch was cut. */
const isAsNamed = ({ candidate }: Contender, named: number): boolean =>
  candidate.kind === 'exact' && candidate.start === named

/** No need to look for places where the text stands only nearly: here it stands as the patch says. */
function isClear(exact: readonly Contender[], named: number): boolean {
  return exact.some(
    ({ candidate, worth }) =>
      candidate.kind === 'exact' &&
      (candidate.start === named ? worth >= 1 : exact.length === 1 && worth > 1),
  )
}

/** What was applied already is not to be applied beside it once more. */
function drifted(file: FileText, sides: HunkSides, exact: readonly Contender[]): Candidate[] {
  const places = new Set(exact.map(({ candidate }) => placeOf(candidate)))
  const applied = exact.map(({ candidate }) => candidate).filter(({ kind }) => kind === 'already-applied')
  return driftedCandidates(file, sides).filter(
    (one) =>
      !places.has(placeOf(one)) && !applied.some(({ start, end }) => one.start < end && one.end > start),
  )
}

const placeOf = (candidate: Candidate): string => candidate.edits.map((edit) => edit.at).join()

/** A hunk of added lines alone has only its line number; in an empty file there is no other place. */
function withoutContext(file: FileText, sides: HunkSides, named: number): Contender[] {
  const at = Math.min(named, file.lines.length)
  const edits = sides.groups.map((group) => ({ at, removed: 0, added: group.added }))
  const worth = file.lines.length === 0 ? 1 : 0.3
  const why = 'a hunk without context has nothing but its line number'
  return [
    {
      worth,
      candidate: {
        kind: 'exact',
        start: at,
        end: at,
        origin: at,
        edits,
        score: worth,
        fuzz: 0,
        doubt: undefined,
        anchored: false,
        why,
      },
    },
  ]
}

function verdictOf(
  contest: Contest,
  chosen: number,
  losses: readonly number[],
  options: PlaceOptions,
): PlacedHunk {
  const best = contest.contenders[chosen]
  const rivals = contest.contenders
    .map((contender, index) => ({ contender, loss: losses[index] ?? 0, index }))
    .filter(({ index }) => index !== chosen)
    .sort((a, b) => a.loss - b.loss)
  const listed = [best, ...rivals.map(({ contender }) => contender)]
    .filter((one) => one !== undefined)
    .slice(0, maxListed)
  const candidates = listed.map(listing)
  if (best === undefined) return conflict('the old text of the hunk is not in the file', candidates)
  const lead = rivals[0]?.loss ?? Number.POSITIVE_INFINITY
  const doubt =
    best.worth < minWorth[best.candidate.anchored ? 'anchored' : 'loose']
      ? 'too little of the old text of the hunk is in the file'
      : lead < minLead
        ? severalPlaces
        : best.candidate.doubt
  if (doubt !== undefined && !options.bestEffort) return conflict(doubt, candidates)
  return found(best.candidate, contest.named, candidates, doubt)
}

const listing = ({ candidate, worth }: Contender): PlacementCandidate => ({
  line: (candidate.edits[0]?.at ?? candidate.start) + 1,
  score: Math.round(worth * 100) / 100,
  why: candidate.why,
})

function found(
  candidate: Candidate,
  named: number,
  candidates: readonly PlacementCandidate[],
  doubt: string | undefined,
): PlacedHunk {
  const placement: HunkPlacement = {
    status: statusOf(candidate, named),
    line: candidate.origin + 1,
    offset: candidate.origin - named,
    fuzz: candidate.fuzz,
    why: doubt === undefined ? candidate.why : `${candidate.why}; low confidence: ${doubt}`,
    confidence: doubt === undefined ? 'high' : 'low',
    candidates,
  }
  return { placement, start: candidate.start, end: candidate.end, edits: candidate.edits }
}

function statusOf(candidate: Candidate, named: number): HunkPlacement['status'] {
  if (candidate.kind === 'exact') return candidate.origin === named ? 'exact' : 'offset'
  return candidate.kind
}

function conflict(why: string, candidates: readonly PlacementCandidate[]): PlacedHunk {
  const placement: HunkPlacement = {
    status: 'conflict',
    line: 0,
    offset: 0,
    fuzz: 0,
    why,
    confidence: 'high',
    candidates,
  }
  return { placement, start: 0, end: 0, edits: [] }
}

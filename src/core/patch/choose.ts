import { mapSteps, type Steps } from '../steps.ts'
import type { Candidate } from './candidates.ts'

/** A candidate with what is known about it beyond its own text. */
export interface Contender {
  readonly candidate: Candidate
  /** Score of its text, section and anchors; higher is better. */
  readonly worth: number
}

/** With a reason to refuse it; the first reason stays. */
export const doubted = (contender: Contender, doubt: string | undefined): Contender => ({
  ...contender,
  candidate: { ...contender.candidate, doubt: contender.candidate.doubt ?? doubt },
})

/** One hunk of a file in the competition for places. */
export interface Contest {
  /** 0-based line that the patch names. */
  readonly named: number
  readonly contenders: readonly Contender[]
}

export interface Choice {
  /** Index into the hunk's contenders; -1 when none fits. */
  readonly chosen: number
  /** For each contender: how much worse the file's best placement gets when it must be used. */
  readonly losses: readonly number[]
}

/** Each doubling of the distance from where the neighbours' offset points costs this much. */
const distanceCost = 0.05
const distanceUnitLines = 8
/** Standing exactly where the patch, or the offset of the hunk before, points is no accident. */
const startMissCost = 0.08
const driftCost = 0.04
/** Worse than any place that a person would look at. */
const leftOutWorth = -0.3
/** Changes in the wrong order are impossible, not merely unlikely. */
const disorderCost = 1e6

/** Chooses one contender for each hunk so that order is kept and the sum of worths is greatest. */
export function* chooseTogether(
  contests: readonly Contest[],
  spend: (steps: number) => void,
): Steps<readonly Choice[]> {
  const forward = yield* sweep(contests, false, spend)
  const backward = (yield* sweep(contests.toReversed(), true, spend)).toReversed()
  return yield* mapSteps(contests, (contest, at) => {
    const totals = options(contest).map((option, index) => {
      const both = (forward[at]?.[index] ?? 0) + (backward[at]?.[index] ?? 0)
      return both - ownWorth(option)
    })
    const best = Math.max(...totals)
    const chosen = totals.indexOf(best)
    return {
      chosen: chosen === contest.contenders.length ? -1 : chosen,
      losses: totals.slice(0, contest.contenders.length).map((total) => best - total),
    }
  })
}

/** The contenders and, as last option, to leave the hunk out, lest a hopeless one bend the rest. */
const options = (contest: Contest): readonly (Contender | undefined)[] => [...contest.contenders, undefined]

const ownWorth = (option: Contender | undefined): number => option?.worth ?? leftOutWorth

/** Best total of all hunks up to and with each option, in the order given. */
function* sweep(
  contests: readonly Contest[],
  backwards: boolean,
  spend: (steps: number) => void,
): Steps<readonly (readonly number[])[]> {
  const totals: number[][] = []
  for (const [at, contest] of contests.entries()) {
    const neighbour = contests[at - 1]
    const before = totals[at - 1]
    spend(contest.contenders.length * (neighbour?.contenders.length ?? 0))
    const row = options(contest).map((option) => {
      if (neighbour === undefined || before === undefined) {
        return ownWorth(option) - (backwards ? 0 : startCost(contest, option))
      }
      let best = Number.NEGATIVE_INFINITY
      for (const [index, other] of options(neighbour).entries()) {
        const cost = backwards
          ? pairCost(contest, option, neighbour, other)
          : pairCost(neighbour, other, contest, option)
        best = Math.max(best, (before[index] ?? 0) - cost)
      }
      return ownWorth(option) + best
    })
    totals.push(row)
    yield
  }
  return totals
}

/** The first hunk has no neighbour before it: how far the file's head grew is anyone's guess. */
function startCost(contest: Contest, option: Contender | undefined): number {
  const offset = option === undefined ? 0 : option.candidate.origin - contest.named
  return offset === 0 ? 0 : startMissCost + distance(offset) / 2
}

function pairCost(
  first: Contest,
  firstOption: Contender | undefined,
  second: Contest,
  secondOption: Contender | undefined,
): number {
  if (firstOption === undefined || secondOption === undefined) return 0
  if (!inOrder(firstOption.candidate, secondOption.candidate)) return disorderCost
  const offsets = [firstOption.candidate.origin - first.named, secondOption.candidate.origin - second.named]
  const drift = (offsets[1] ?? 0) - (offsets[0] ?? 0)
  return drift === 0 ? 0 : driftCost + distance(drift)
}

const distance = (lines: number): number => distanceCost * Math.log2(1 + Math.abs(lines) / distanceUnitLines)

/** Changes may touch but not overlap; context may overlap. */
export function inOrder(first: Candidate, second: Candidate): boolean {
  const last = first.edits.at(-1)
  const next = second.edits[0]
  const end = last === undefined ? first.start : last.at + last.removed
  const start = next === undefined ? second.end : next.at
  return end <= start
}

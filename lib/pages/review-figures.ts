/** What the decisions of reviewers say of the score and of each other. */
import type { Review, ReviewerAgreement, ReviewSummary, ScoreAgreement, ScoreBin, Verdict } from './view.js'

const binCount = 10
const verdicts: readonly Verdict[] = ['good', 'bad', 'edit']

type Judged = Pick<Review, 'verdict' | 'score'>

/** Counts decisions, and compares good and bad with the score. Edited pairs are neither good nor bad. */
export function scoreAgreement(reviews: readonly Judged[]): ScoreAgreement {
  const count = (verdict: Verdict): number => reviews.filter((review) => review.verdict === verdict).length
  const good = scoresOf(reviews, 'good')
  const bad = scoresOf(reviews, 'bad')
  return {
    good: count('good'),
    bad: count('bad'),
    edit: count('edit'),
    bins: scoreBins(reviews),
    scored: good.length + bad.length,
    auc: areaUnderCurve(good, bad),
    threshold: suggestedThreshold(good, bad),
  }
}

function scoresOf(reviews: readonly Judged[], wanted: Verdict): number[] {
  return reviews.flatMap(({ verdict, score }) => (verdict === wanted && score !== null ? [score] : []))
}

function scoreBins(reviews: readonly Judged[]): ScoreBin[] {
  const bins = Array.from({ length: binCount }, (_, at) => ({ from: at / binCount, good: 0, bad: 0, edit: 0 }))
  for (const { verdict, score } of reviews) {
    if (verdict === null || score === null) continue
    const bin = bins[Math.max(0, Math.min(binCount - 1, Math.floor(score * binCount)))]
    if (bin !== undefined) bin[verdict]++
  }
  return bins
}

/**
 * Returns the probability that a good row has a higher score than a bad one, ties counted half: the area under the ROC
 * curve, which is the Mann-Whitney U divided by the number of pairs (Hanley and McNeil 1982, Radiology 143:29).
 */
export function areaUnderCurve(good: readonly number[], bad: readonly number[]): number | null {
  if (good.length === 0 || bad.length === 0) return null
  let wins = 0
  for (const high of good) for (const low of bad) wins += high > low ? 1 : high === low ? 0.5 : 0
  return wins / (good.length * bad.length)
}

/**
 * Returns the threshold t that maximises the balanced accuracy of "keep rows with score ≥ t":
 * (good rows kept / good rows + bad rows dropped / bad rows) / 2. Each score that occurs is tried, rounded down to four
 * decimals; of several that are equally good the lowest, which keeps the most rows, is returned.
 */
export function suggestedThreshold(good: readonly number[], bad: readonly number[]): ScoreAgreement['threshold'] {
  if (good.length === 0 || bad.length === 0) return null
  let best: ScoreAgreement['threshold'] = null
  for (const keepAtLeast of [...new Set([...good, ...bad].map(roundedDown))].sort((a, b) => a - b)) {
    const goodKept = good.filter((score) => score >= keepAtLeast).length
    const badDropped = bad.filter((score) => score < keepAtLeast).length
    const balancedAccuracy = (goodKept / good.length + badDropped / bad.length) / 2
    if (best === null || balancedAccuracy > best.balancedAccuracy) {
      best = { keepAtLeast, balancedAccuracy, goodKept, badDropped }
    }
  }
  return best
}

/** The slack is for the representation of decimals: 0.57 × 10,000 is 5,699.999…. */
function roundedDown(score: number): number {
  return Math.floor(score * 10_000 + 1e-6) / 10_000
}

/**
 * Returns how often two reviewers decided the same about rows that both reviewed, and Cohen's kappa:
 * (observed − expected) / (1 − expected) agreement, expected from how often each made each decision (Cohen 1960,
 * Educational and Psychological Measurement 20:37).
 */
export function reviewerAgreement(
  [first, own]: readonly [string, readonly Review[]],
  [second, others]: readonly [string, readonly Review[]],
): ReviewerAgreement {
  const byId = new Map(others.map(({ id, verdict }) => [id, verdict]))
  const both = own.flatMap(({ id, verdict }) => {
    const other = byId.get(id) ?? null
    return verdict === null || other === null ? [] : [[verdict, other] as const]
  })
  const rows = both.length
  const same = both.filter(([a, b]) => a === b).length
  // In counts, so that complete agreement by chance is exactly rows².
  const expected = verdicts.reduce((sum, verdict) => {
    const count = (side: 0 | 1): number => both.filter((pair) => pair[side] === verdict).length
    return sum + count(0) * count(1)
  }, 0)
  const kappa = expected === rows * rows ? null : (same * rows - expected) / (rows * rows - expected)
  return { first, second, rows, same, kappa }
}

/** @param all reviewer → the decisions that count */
export function reviewSummary(
  reviewer: string,
  all: ReadonlyMap<string, readonly Review[]>,
  faults: readonly string[],
): ReviewSummary {
  const names = [...all.keys()].sort()
  const agreements = names.flatMap((first, at) =>
    names
      .slice(at + 1)
      .map((second) => reviewerAgreement([first, all.get(first) ?? []], [second, all.get(second) ?? []])),
  )
  return { reviewer, score: scoreAgreement(all.get(reviewer) ?? []), agreements, faults }
}

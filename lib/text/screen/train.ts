/**
 * Trains the screen: logistic regression by stochastic gradient descent over hashed n-grams, with averaged weights.
 * Deterministic: the order of the examples is drawn from a seed, and sums are made in that order.
 */

import { codesOf } from '../code-units.js'
import type { ScreenClassifier, ScreenHeader } from './classifier.js'
import { GramBuckets } from './grams.js'

/** A text, and the grade of the judge: 1 keeps it, 0 does not; a probability in between counts in part. */
export interface ScreenExample {
  readonly text: string
  readonly grade: number
}

interface TrainingOptions {
  /** Passes over the examples; 10 by default. */
  readonly epochs?: number
  /** Step of the first pass; it falls to 0 in a straight line. 1 by default. */
  readonly rate?: number
  /** Weight decay of each update, by the step; 1e-5 by default. */
  readonly decay?: number
  /** Seed of the order; 1 by default. */
  readonly seed?: number
  /** Weights, a power of two; 2^18 by default. */
  readonly buckets?: number
}

/** @throws {RangeError} all examples have one grade, or there are none: the caller checks that */
export function trainScreen(
  examples: readonly ScreenExample[],
  { epochs = 10, rate = 1, decay = 1e-5, seed = 1, buckets: bucketCount = 2 ** 18 }: TrainingOptions = {},
): { readonly header: Omit<ScreenHeader, 'training'>; readonly weights: Int16Array } {
  const kept = examples.filter(({ grade }) => grade >= 0.5).length
  if (kept === 0 || kept === examples.length) throw new RangeError('examples of both grades are needed')
  const grams = new GramBuckets(bucketCount)
  const weights = new Float64Array(bucketCount)
  // Both grades weigh the same in all, however many examples each has: the prior of the corpus is not learned.
  const weightOf = (grade: number) => examples.length / (2 * (grade >= 0.5 ? kept : examples.length - kept))
  const order = Uint32Array.from(examples, (_, index) => index)
  const random = generatorOf(seed)
  const steps = epochs * examples.length
  let bias = 0
  for (let step = 0; step < steps; step++) {
    if (step % examples.length === 0) shuffle(order, random)
    const { text, grade } = examples[order[step % examples.length] as number] as ScreenExample
    const codes = codesOf(text)
    grams.read(codes, 0, codes.length)
    const { buckets, count } = grams
    if (count === 0) continue
    const value = 1 / Math.sqrt(count)
    let sum = 0
    for (let index = 0; index < count; index++) sum += weights[buckets[index] as number] as number
    const stepRate = rate * (1 - step / steps)
    const error = (grade - 1 / (1 + Math.exp(-bias - sum * value))) * weightOf(grade) * stepRate
    bias += error * biasShare
    const shrink = 1 - stepRate * decay
    for (let index = 0; index < count; index++) {
      const bucket = buckets[index] as number
      weights[bucket] = (weights[bucket] as number) * shrink + error * value
    }
  }
  return quantised(weights, bias)
}

/** The bias is in every example: a full step would make it swing. */
const biasShare = 0.1

function quantised(weights: Float64Array, bias: number) {
  const largest = weights.reduce((most, weight) => Math.max(most, Math.abs(weight)), 0)
  const scale = largest === 0 ? 1 : largest / int16Max
  const header = { kind: 'kun-stream screen', version: 1, buckets: weights.length, bias, scale } as const
  return { header, weights: Int16Array.from(weights, (weight) => Math.round(weight / scale)) }
}

const int16Max = 32_767

/** Agreement of a screen with the judge on examples that it was not trained on. */
export interface ScreenAgreement {
  readonly examples: number
  /** Area under the receiver operating characteristic: the probability that a kept text scores over a dropped one. */
  readonly auc: number
  /** Share on whose grade both agree at the threshold. */
  readonly agreement: number
  /** Of the texts that the judge drops: share that the screen drops. */
  readonly recall: number
  /** Of the texts that the screen drops: share that the judge drops. */
  readonly precision: number
}

/** Compares the screen with the grades. @param keepAtLeast threshold of the screen */
export function agreementOf(
  screen: ScreenClassifier,
  examples: readonly ScreenExample[],
  keepAtLeast: number,
): ScreenAgreement {
  const scored = examples.map(({ text, grade }) => {
    const codes = codesOf(text)
    return { score: screen.score(codes, 0, codes.length), kept: grade >= 0.5 }
  })
  const count = (has: (each: { score: number; kept: boolean }) => boolean) => scored.filter(has).length
  const dropped = count(({ score }) => score < keepAtLeast)
  const bad = count(({ kept }) => !kept)
  const both = count(({ score, kept }) => !kept && score < keepAtLeast)
  const right = both + count(({ score, kept }) => kept && score >= keepAtLeast)
  return {
    examples: scored.length,
    auc: aucOf(scored),
    agreement: ratio(right, scored.length),
    recall: ratio(both, bad),
    precision: ratio(both, dropped),
  }
}

/** By ranks (Mann-Whitney U); texts of one score share their ranks. */
function aucOf(scored: readonly { readonly score: number; readonly kept: boolean }[]): number {
  const sorted = [...scored].sort((a, b) => a.score - b.score)
  const kept = sorted.filter((each) => each.kept).length
  const others = sorted.length - kept
  let ranks = 0
  for (let from = 0; from < sorted.length; ) {
    let to = from
    while (to < sorted.length && sorted[to]?.score === sorted[from]?.score) to++
    const rank = (from + 1 + to) / 2
    for (let index = from; index < to; index++) if (sorted[index]?.kept) ranks += rank
    from = to
  }
  return ratio(ranks - (kept * (kept + 1)) / 2, kept * others)
}

function ratio(part: number, all: number): number {
  return all === 0 ? 0 : Math.round((1e4 * part) / all) / 1e4
}

function shuffle(order: Uint32Array, random: () => number): void {
  for (let index = order.length - 1; index > 0; index--) {
    const other = random() % (index + 1)
    const value = order[index] as number
    order[index] = order[other] as number
    order[other] = value
  }
}

/** Xorshift32 (Marsaglia, 2003). */
function generatorOf(seed: number): () => number {
  let state = (seed ^ 0x9e3779b9) >>> 0 || 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state
  }
}

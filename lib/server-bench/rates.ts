/** Rates of the levels of a sweep over their repeats, and the knee of them. Pure. */
import { kneeOf, type RatePoint } from './knee.js'
import { mean } from './request-record.js'
import { type KneeResult, type LevelResult, rateOf, type SweepResult } from './results.js'

/** Points of the fitted curve for each doubling. */
const curvePoints = 6

/** Returns the knee of the mean rates of levels, with points of the fitted curve. */
export function kneeResult(levels: readonly LevelResult[], unit: SweepResult['unit']): KneeResult | null {
  const points = meanRates(levels, unit)
  const knee = kneeOf(points)
  if (knee === null) return null
  const { rateAt, ...kept } = knee
  const most = Math.max(...points.map(({ concurrency }) => concurrency))
  const count = Math.ceil(curvePoints * Math.log2(most))
  const places = Array.from({ length: count + 1 }, (_, at) => most ** (at / Math.max(1, count)))
  if (knee.fullAt !== null && knee.fullAt < most) places.push(knee.fullAt)
  return { ...kept, curve: places.sort((a, b) => a - b).map((place) => [place, rateAt(place)] as const) }
}

/** Geometric means of the repeats of each level. */
export function meanRates(
  levels: readonly LevelResult[],
  unit: SweepResult['unit'],
): (RatePoint & { readonly repeats: number })[] {
  const logs = new Map<number, number[]>()
  for (const level of levels) {
    logs.set(level.concurrency, [...(logs.get(level.concurrency) ?? []), Math.log(rateOf({ unit }, level))])
  }
  return [...logs].map(([concurrency, own]) => ({ concurrency, rate: Math.exp(mean(own)), repeats: own.length }))
}

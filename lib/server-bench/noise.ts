/** Noise of repeated levels, and which differences between two benchmarks exceed it. Pure. */
import { meanRates } from './rates.js'
import { mean } from './request-record.js'
import { type LevelResult, rateOf, type ServerBenchResult, type SweepResult, type WorkloadName } from './results.js'

/** Standard errors beyond which a difference is not noise: a benchmark compares some 30 levels, each with few repeats. */
const errorsMin = 4
/** Smaller differences are never reported as such. */
const differenceMin = 0.02

/** Pooled standard deviation of the logarithm of a level's rate; null if no level was repeated. */
export function noiseOf(levels: readonly LevelResult[], unit: SweepResult['unit']): number | null {
  let [squares, freedom] = [0, 0]
  for (const own of byConcurrency(levels)) {
    const logs = own.map((level) => Math.log(rateOf({ unit }, level)))
    const middle = mean(logs)
    squares += logs.reduce((sum, log) => sum + (log - middle) ** 2, 0)
    freedom += logs.length - 1
  }
  return freedom === 0 ? null : Math.sqrt(squares / freedom)
}

/** A level that both benchmarks measured. */
export interface Comparison {
  readonly workload: WorkloadName
  readonly concurrency: number
  readonly before: number
  readonly now: number
  /** now / before. */
  readonly ratio: number
  /** Ratios between 1 / this and this may be noise; null if one of the two has no repeats. */
  readonly noiseRatio: number | null
  readonly differs: boolean
}

export function compared(before: ServerBenchResult, now: ServerBenchResult): Comparison[] {
  return now.sweeps.flatMap((sweep) => {
    const earlier = before.sweeps.find(({ workload }) => workload === sweep.workload)
    return earlier === undefined ? [] : comparedSweeps(earlier, sweep)
  })
}

function comparedSweeps(before: SweepResult, now: SweepResult): Comparison[] {
  const rates = new Map(meanRates(before.levels, before.unit).map((point) => [point.concurrency, point]))
  return meanRates(now.levels, now.unit).flatMap((point) => {
    const earlier = rates.get(point.concurrency)
    if (earlier === undefined) return []
    const known = before.noise !== null && now.noise !== null
    const error = Math.hypot(
      (before.noise ?? 0) / Math.sqrt(earlier.repeats),
      (now.noise ?? 0) / Math.sqrt(point.repeats),
    )
    const noiseRatio = known ? Math.exp(Math.max(Math.log1p(differenceMin), errorsMin * error)) : null
    const ratio = point.rate / earlier.rate
    return [
      {
        ...{ workload: now.workload, concurrency: point.concurrency, before: earlier.rate, now: point.rate },
        ...{ ratio, noiseRatio },
        differs: noiseRatio !== null && Math.abs(Math.log(ratio)) > Math.log(noiseRatio),
      },
    ]
  })
}

function byConcurrency(levels: readonly LevelResult[]): Iterable<LevelResult[]> {
  const groups = new Map<number, LevelResult[]>()
  for (const level of levels) groups.set(level.concurrency, [...(groups.get(level.concurrency) ?? []), level])
  return groups.values()
}

/**
 * Predicts a whole run from a sample of it. Each figure has a range of 95 %: percentiles of 1,000 bootstrap resamples of the
 * sampled records, source by source (Efron and Tibshirani, An Introduction to the Bootstrap, chapter 13).
 */
import { seededRandom } from '../../core/random.js'
import type { CellRow, SampledSource, SampleResult } from './sample-run.js'

export interface Range {
  readonly value: number
  readonly low: number
  readonly high: number
}

export interface Forecast {
  readonly recordsSampled: number
  /** Whether the number of documents was counted, not estimated. */
  readonly documentsExact: boolean
  readonly documents: Range
  readonly chunks: Range
  /** Chunks that reach the first model stage. */
  readonly candidates: Range
  readonly rows: Range
  /** Of replies. */
  readonly tokens: Range
  /** At the rate of the sample. */
  readonly hours: Range
  readonly gpuHours: Range
  /** In the currency of the price; null without one. */
  readonly cost: Range | null
  /** Written to the disk: rows, rejects and replies. */
  readonly bytes: Range
  readonly tokensPerSecond: number
}

/** Figures of one sampled record. */
interface Outcome {
  readonly chunks: number
  readonly candidates: number
  readonly rows: number
}

const resamples = 1000
const tails = [0.025, 0.975] as const

interface Prices {
  readonly gpus: number
  readonly gpuHourPrice: number | null
}

export function forecastOf(
  sources: readonly SampledSource[],
  result: SampleResult,
  { gpus, gpuHourPrice }: Prices,
): Forecast {
  const strata = sources.map((source) => ({
    documents: source.documents ?? source.records,
    outcomes: outcomesOf(source, result),
  }))
  const outcomes = strata.flatMap((stratum) => stratum.outcomes)
  const sum = (of: (each: Outcome) => number) => outcomes.reduce((total, each) => total + of(each), 0)
  const candidates = sum((each) => each.candidates)
  const tokensEach = candidates === 0 ? 0 : result.tokens / candidates
  const bytesEach = result.bytes / Math.max(1, sum((each) => each.chunks) + outcomes.length)
  const tokensPerSecond = result.seconds > 0 ? result.tokens / result.seconds : 0
  const predict = (draws: readonly (readonly Outcome[])[]) => {
    const total = (of: (each: Outcome) => number) =>
      strata.reduce((all, { documents }, index) => all + documents * mean(draws[index] ?? [], of), 0)
    const chunks = total((each) => each.chunks)
    const reached = total((each) => each.candidates)
    const tokens = reached * tokensEach
    const documents = strata.reduce((all, stratum) => all + stratum.documents, 0)
    return {
      documents,
      chunks,
      candidates: reached,
      rows: total((each) => each.rows),
      tokens,
      hours: tokensPerSecond === 0 ? 0 : tokens / tokensPerSecond / 3600,
      bytes: (chunks + documents) * bytesEach,
    }
  }
  const random = seededRandom(1)
  const drawn = Array.from({ length: resamples }, () => predict(strata.map((each) => resample(each.outcomes, random))))
  const point = predict(strata.map((each) => each.outcomes))
  const range = (name: keyof typeof point, factor = 1): Range => {
    const sorted = drawn.map((each) => each[name] * factor).sort((a, b) => a - b)
    const [low, high] = tails.map((tail) => sorted[Math.min(resamples - 1, Math.floor(tail * resamples))] as number)
    return { value: point[name] * factor, low: low as number, high: high as number }
  }
  return {
    recordsSampled: outcomes.length,
    documentsExact: sources.every(({ exact }) => exact),
    documents: range('documents'),
    chunks: range('chunks'),
    candidates: range('candidates'),
    rows: range('rows'),
    tokens: range('tokens'),
    hours: range('hours'),
    gpuHours: range('hours', gpus),
    cost: gpuHourPrice === null ? null : range('hours', gpus * gpuHourPrice),
    bytes: range('bytes'),
    tokensPerSecond,
  }
}

/** Groups rows and rejects by the record that they came from. Records without either have none. */
function outcomesOf({ shard, records }: SampledSource, { rows, rejects }: SampleResult): Outcome[] {
  const found = new Map<string, { chunks: Set<number>; candidates: Set<number>; rows: number }>()
  const entry = (row: CellRow) => {
    const key = String(row.offset)
    const known = found.get(key) ?? { chunks: new Set<number>(), candidates: new Set<number>(), rows: 0 }
    found.set(key, known)
    return known
  }
  const own = (row: CellRow) => row.shard === shard.path
  for (const row of rows.filter(own)) {
    const outcome = entry(row)
    outcome.chunks.add(Number(row.chunk))
    outcome.candidates.add(Number(row.chunk))
    outcome.rows++
  }
  for (const row of rejects.filter(own)) {
    if (row.chunk === null || row.chunk === undefined || Number(row.chunk) < 0) continue
    const outcome = entry(row)
    outcome.chunks.add(Number(row.chunk))
    if (!beforeModels.has(String(row.stage))) outcome.candidates.add(Number(row.chunk))
  }
  const outcomes = [...found.values()].map((each) => ({
    ...{ chunks: each.chunks.size, candidates: each.candidates.size, rows: each.rows },
  }))
  const without = Array.from({ length: Math.max(0, records - outcomes.length) }, () => ({
    chunks: 0,
    candidates: 0,
    rows: 0,
  }))
  return [...outcomes, ...without]
}

/** Stages whose rejects made no request. */
const beforeModels: ReadonlySet<string> = new Set(['read', 'decode', 'clean', 'filter', 'chunk', 'prepare', 'dedup'])

function mean(outcomes: readonly Outcome[], of: (each: Outcome) => number): number {
  return outcomes.length === 0 ? 0 : outcomes.reduce((total, each) => total + of(each), 0) / outcomes.length
}

function resample(outcomes: readonly Outcome[], random: () => number): Outcome[] {
  return outcomes.map(() => outcomes[Math.floor(random() * outcomes.length)] as Outcome)
}

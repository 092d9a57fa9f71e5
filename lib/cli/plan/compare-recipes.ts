/** Runs the same records through two recipes and sets the outcomes side by side. */
import { say } from '../../language/say.js'
import type { Recipe } from '../../recipe/index.js'
import { type CellRow, runSample, type SampledSource, type SampleResult } from './sample-run.js'

/** Figures of one recipe. */
export interface Side {
  readonly name: string
  readonly documents: number
  readonly chunks: number
  readonly rows: number
  /** Of replies. */
  readonly tokens: number
  readonly seconds: number
  /** Mean score of the rows; null without scores. */
  readonly score: number | null
  readonly instructionChars: number | null
  readonly outputChars: number | null
  /** Null without a row. */
  readonly tokensPerRow: number | null
  readonly gpuSecondsPerRow: number | null
  readonly costPerRow: number | null
  /** Reasons of the rejects, the most frequent first. */
  readonly rejects: readonly { readonly stage: string; readonly reason: string; readonly count: number }[]
}

/** What a recipe made of one chunk: a row, or the reason for which there is none. */
export type Outcome =
  | { readonly instruction: string; readonly output: string; readonly score: number | null }
  | { readonly stage: string; readonly reason: string; readonly detail: string }

/** One chunk, and its outcome in both recipes; null where the recipe has no such chunk. */
export interface ComparedChunk {
  readonly split: string
  readonly offset: number
  readonly chunk: number
  readonly variant: number
  readonly raw: string
  readonly a: Outcome | null
  readonly b: Outcome | null
}

export interface Comparison {
  readonly records: number
  readonly a: Side
  readonly b: Side
  readonly chunks: readonly ComparedChunk[]
}

interface Prices {
  readonly gpus: readonly [number, number]
  readonly gpuHourPrice: number | null
}

/** Runs both recipes, one after the other, so that they do not share the capacity of a server. */
export async function compareRecipes(
  [a, b]: readonly [Recipe, Recipe],
  sources: readonly SampledSource[],
  { gpus, gpuHourPrice }: Prices,
  tell: (line: string) => void,
): Promise<Comparison> {
  tell(say`running ${a.name}`)
  const first = await runSample(a, sources, tell)
  tell(say`running ${b.name}`)
  const second = await runSample(b, sources, tell)
  return {
    records: sources.reduce((sum, { records }) => sum + records, 0),
    a: sideOf(a, first, gpus[0], gpuHourPrice),
    b: sideOf(b, second, gpus[1], gpuHourPrice),
    chunks: chunksOf(first, second),
  }
}

function sideOf({ name }: Recipe, result: SampleResult, gpus: number, price: number | null): Side {
  const counters = Object.values(result.counters)
  const total = (of: (each: (typeof counters)[number]) => number) => counters.reduce((sum, each) => sum + of(each), 0)
  const rows = total((each) => each.rows)
  const gpuSecondsPerRow = rows === 0 ? null : (result.seconds * gpus) / rows
  const reasons = new Map<string, { stage: string; reason: string; count: number }>()
  for (const { stage, reason } of result.rejects) {
    const key = `${stage} ${reason}`
    const known = reasons.get(key) ?? { stage: String(stage), reason: String(reason), count: 0 }
    known.count++
    reasons.set(key, known)
  }
  return {
    ...{ name, rows, tokens: result.tokens, seconds: result.seconds, gpuSecondsPerRow },
    documents: total((each) => each.documents),
    chunks: total((each) => each.chunks),
    score: mean(result.rows, (row) => (typeof row.score === 'number' ? row.score : null)),
    instructionChars: mean(result.rows, (row) => String(row.instruction ?? '').length),
    outputChars: mean(result.rows, (row) => String(row.output ?? '').length),
    tokensPerRow: rows === 0 ? null : result.tokens / rows,
    costPerRow: gpuSecondsPerRow === null || price === null ? null : (gpuSecondsPerRow / 3600) * price,
    rejects: [...reasons.values()].sort((x, y) => y.count - x.count),
  }
}

function mean(rows: readonly CellRow[], of: (row: CellRow) => number | null): number | null {
  const values = rows.map(of).filter((value) => value !== null)
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length
}

function chunksOf(a: SampleResult, b: SampleResult): ComparedChunk[] {
  const chunks = new Map<string, ComparedChunk>()
  for (const [side, { rows, rejects }] of [['a', a] as const, ['b', b] as const]) {
    for (const row of [...rows, ...rejects]) {
      const place = {
        split: String(row.split ?? row.source ?? ''),
        offset: Number(row.offset),
        chunk: Number(row.chunk ?? -1),
        variant: Math.max(0, Number(row.variant ?? 0)),
      }
      const key = `${row.shard} ${place.offset} ${place.chunk} ${place.variant}`
      const known = chunks.get(key) ?? { ...place, raw: String(row.raw ?? row.excerpt ?? ''), a: null, b: null }
      chunks.set(key, { ...known, [side]: outcomeOf(row) })
    }
  }
  return [...chunks.values()].sort((x, y) => x.offset - y.offset || x.chunk - y.chunk || x.variant - y.variant)
}

function outcomeOf(row: CellRow): Outcome {
  if (typeof row.reason === 'string') {
    return { stage: String(row.stage), reason: row.reason, detail: String(row.detail ?? '') }
  }
  const score = typeof row.score === 'number' ? row.score : null
  return { instruction: String(row.instruction ?? ''), output: String(row.output ?? ''), score }
}

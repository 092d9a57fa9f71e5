/**
 * Counts while a run goes on, in input order, and gives the account as it stands: for a cut, for stats.json.
 * What an account must add up to is in counters.ts.
 */
import type { Dropped, Failed } from '../core/types.js'
import type { PreparedBlock } from '../text/batch.js'
import { addCounters, type Counters, countersOfBlock, emptySplit, sorted } from './counters.js'
import { reasonOf } from './row.js'

/** A stage's counts while they grow. */
interface GrowingStage {
  in: number
  out: number
  failed: number
  readonly dropped: Map<string, number>
}

interface GrowingSplit {
  candidates: number
  attempts: number
  rows: number
  readonly chunkRejects: Map<string, Map<string, number>>
  readonly attemptRejects: Map<string, Map<string, number>>
  readonly stages: Map<string, GrowingStage>
}

/**
 * The running account of all splits.
 *
 * Call it in input order with what became of each block, chunk and attempt; the order does not change the sums, but a
 * snapshot for a cut must hold that cut's records and no later ones.
 * @param stages the LLM stages of the run, in order: an attempt that one of them rejects has passed those before it
 * @param from what earlier cuts committed
 */
export class Tally {
  #base: Counters
  readonly #growing = new Map<string, GrowingSplit>()

  constructor(
    readonly stages: readonly string[],
    from: Counters = {},
  ) {
    this.#base = from
  }

  /** Everything a worker says of a block: documents, chunks, and the rejects among both. */
  block(block: PreparedBlock): void {
    this.#base = addCounters(this.#base, countersOfBlock(block))
  }

  /** A chunk that passed dedup, of which the label stage makes `attempts` pairs. */
  candidate(split: string, attempts: number): void {
    const own = this.#split(split)
    own.candidates++
    own.attempts += attempts
    const dedup = stageOf(own, 'dedup')
    dedup.in++
    dedup.out++
  }

  /** A chunk that never became a candidate. */
  chunkReject(split: string, stage: string, outcome: Dropped | Failed): void {
    const own = this.#split(split)
    reject(own, own.chunkRejects, stage, outcome)
  }

  /** An attempt that ended at `stage`. */
  attemptReject(split: string, stage: string, outcome: Dropped | Failed): void {
    const own = this.#split(split)
    for (const earlier of this.stages.slice(0, Math.max(0, this.stages.indexOf(stage)))) pass(own, earlier)
    reject(own, own.attemptRejects, stage, outcome)
  }

  /** An attempt that became a row. */
  row(split: string): void {
    const own = this.#split(split)
    own.rows++
    for (const stage of this.stages) pass(own, stage)
  }

  /** The account so far: JSON-safe, keys in order of code unit, no part of it shared with the tally. */
  snapshot(): Counters {
    const grown = [...this.#growing].map(([split, own]) => {
      const stages = [...own.stages].map(([stage, counts]) => [
        stage,
        { ...counts, dropped: Object.fromEntries(counts.dropped) },
      ])
      const { candidates, attempts, rows } = own
      const rejects = { chunkRejects: nested(own.chunkRejects), attemptRejects: nested(own.attemptRejects) }
      return [split, { ...emptySplit(), candidates, attempts, rows, ...rejects, stages: Object.fromEntries(stages) }]
    })
    return structuredClone(sorted(addCounters(this.#base, Object.fromEntries(grown) as Counters)))
  }

  #split(split: string): GrowingSplit {
    let own = this.#growing.get(split)
    if (own === undefined) {
      own = {
        candidates: 0,
        attempts: 0,
        rows: 0,
        chunkRejects: new Map(),
        attemptRejects: new Map(),
        stages: new Map(),
      }
      this.#growing.set(split, own)
    }
    return own
  }
}

function reject(
  own: GrowingSplit,
  rejects: Map<string, Map<string, number>>,
  stage: string,
  outcome: Dropped | Failed,
): void {
  const { reason } = reasonOf(outcome)
  const reasons = rejects.get(stage) ?? new Map<string, number>()
  rejects.set(stage, reasons)
  increment(reasons, reason)
  const counts = stageOf(own, stage)
  counts.in++
  if ('fail' in outcome) counts.failed++
  else increment(counts.dropped, reason)
}

function pass(own: GrowingSplit, stage: string): void {
  const counts = stageOf(own, stage)
  counts.in++
  counts.out++
}

function stageOf(own: GrowingSplit, stage: string): GrowingStage {
  const known = own.stages.get(stage)
  if (known !== undefined) return known
  const counts = { in: 0, out: 0, failed: 0, dropped: new Map<string, number>() }
  own.stages.set(stage, counts)
  return counts
}

function increment(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

function nested(rejects: Map<string, Map<string, number>>): Record<string, Record<string, number>> {
  return Object.fromEntries([...rejects].map(([stage, reasons]) => [stage, Object.fromEntries(reasons)]))
}

/**
 * Records that a run has finished and not committed yet: the latest pairs and rejects, and how many there are, so that
 * somebody can look at them before the first cut. Nothing of the dataset depends on them.
 */
import { ownValue } from '../core/dictionary.js'
import { Child, type Dropped, type Failed } from '../core/types.js'
import type { Candidate, KunStage, Pair, StageCells } from '../kun/types.js'
import { isPair } from './records.js'

/** A finished pair, or a record that a model stage dropped or failed. Texts are shortened. */
export interface LatestRecord {
  readonly id: string
  readonly split: string
  readonly shard: string
  readonly offset: number
  readonly chunk: number
  /** −1 before the label stage. */
  readonly variant: number
  /** Number of its block: committed once the manifest counts more blocks. */
  readonly block: number
  readonly instruction: string
  /** The output of a pair; null for a reject, which shows its text. */
  readonly output: string | null
  readonly raw: string
  readonly score: number | null
  /** Where and why it was dropped or failed; null for a pair. */
  readonly reject: { readonly stage: string; readonly reason: string; readonly detail: string } | null
  /** ISO 8601. */
  readonly finishedAt: string
}

export interface LatestSnapshot {
  /** Finished and not committed. */
  readonly pairs: number
  readonly rejects: number
  /** The latest of them, oldest first. */
  readonly latestPairs: readonly LatestRecord[]
  readonly latestRejects: readonly LatestRecord[]
}

const pairsMax = 30
const rejectsMax = 20
const textCharsMax = 2000

export class LatestRecords {
  #pairs: FinishedRecord[] = []
  #rejects: FinishedRecord[] = []
  /** By block number; at most the blocks of the open cut and those in flight. */
  readonly #counts = new Map<number, { pairs: number; rejects: number }>()
  #version = 0
  #lastPair: FinishedRecord | null = null

  /** The pair that was finished last, committed or not; null before the first. */
  get lastPair(): LatestRecord | null {
    return this.#lastPair === null ? null : latestRecord(this.#lastPair)
  }

  /** Grows with every change. */
  get version(): number {
    return this.#version
  }

  /** Returns the stage, which also reports what it drops; the last one reports the pairs that it emits. */
  observe<In extends Candidate | Pair, Out extends Candidate | Pair>(
    stage: KunStage<In, Out>,
    isLast: boolean,
  ): KunStage<In, Out> {
    return {
      ...stage,
      run: async (input, call) => {
        const outcome = await stage.run(input, call)
        const block = call.position[0] ?? 0
        if (!('emit' in outcome)) {
          this.#rejected(input, block, stage.name, outcome)
          return outcome
        }
        for (const value of outcome.emit) {
          if (value instanceof Child) this.#rejected(value.value, block, stage.name, value.outcome)
          else if (isLast && isPair(value)) this.#finished(value, block)
        }
        return outcome
      },
    }
  }

  /** Forgets what is committed. */
  committed(blocks: number): void {
    this.#version++
    this.#pairs = this.#pairs.filter(({ block }) => block >= blocks)
    this.#rejects = this.#rejects.filter(({ block }) => block >= blocks)
    for (const block of this.#counts.keys()) if (block < blocks) this.#counts.delete(block)
  }

  snapshot(): LatestSnapshot {
    let [pairs, rejects] = [0, 0]
    for (const counts of this.#counts.values()) {
      pairs += counts.pairs
      rejects += counts.rejects
    }
    return {
      pairs,
      rejects,
      latestPairs: this.#pairs.map(latestRecord),
      latestRejects: this.#rejects.map(latestRecord),
    }
  }

  #finished(pair: Pair, block: number): void {
    this.#count(block).pairs++
    this.#lastPair = finishedRecord(pair, block, null)
    this.#pairs.push(this.#lastPair)
    if (this.#pairs.length > pairsMax) this.#pairs.shift()
  }

  #rejected(record: Candidate | Pair, block: number, stage: string, outcome: Dropped | Failed): void {
    this.#count(block).rejects++
    this.#rejects.push(finishedRecord(record, block, { stage, outcome }))
    if (this.#rejects.length > rejectsMax) this.#rejects.shift()
  }

  #count(block: number): { pairs: number; rejects: number } {
    this.#version++
    const counts = this.#counts.get(block) ?? { pairs: 0, rejects: 0 }
    this.#counts.set(block, counts)
    return counts
  }
}

/**
 * A `LatestRecord` with whole texts, which are shortened when somebody looks: nearly every record is replaced before. Has
 * no reference to its candidate, which would keep the memory of a block.
 */
interface FinishedRecord extends Omit<LatestRecord, 'finishedAt' | 'reject'> {
  readonly reject: { readonly stage: string; readonly outcome: Dropped | Failed } | null
  readonly finishedMs: number
}

function finishedRecord(record: Candidate | Pair, block: number, reject: FinishedRecord['reject']): FinishedRecord {
  const pair = isPair(record) ? record : null
  const { split, shard, offset, chunk, text } = pair?.candidate ?? (record as Candidate)
  return {
    ...{ id: record.id, split, shard, offset, chunk, block, reject },
    variant: pair?.variant ?? -1,
    instruction: pair?.instruction ?? '',
    output: reject === null ? (pair?.output ?? text) : null,
    raw: text,
    score: scoreOf(record.columns),
    finishedMs: Date.now(),
  }
}

function latestRecord({ finishedMs, reject, ...record }: FinishedRecord): LatestRecord {
  return {
    ...record,
    instruction: shortened(record.instruction),
    output: record.output === null ? null : shortened(record.output),
    raw: shortened(record.raw),
    reject: reject === null ? null : rejectOf(reject.stage, reject.outcome),
    finishedAt: new Date(finishedMs).toISOString(),
  }
}

function rejectOf(stage: string, outcome: Dropped | Failed): LatestRecord['reject'] {
  const reason = 'drop' in outcome ? outcome.drop : outcome.fail.name
  const detail = 'drop' in outcome ? (outcome.detail ?? '') : outcome.fail.message
  return { stage, reason, detail: shortened(detail) }
}

function scoreOf(columns: StageCells): number | null {
  const score = ownValue(columns, 'score')
  return typeof score === 'number' ? score : null
}

function shortened(text: string): string {
  return text.length <= textCharsMax ? text : `${text.slice(0, textCharsMax - 1)}…`.toWellFormed()
}

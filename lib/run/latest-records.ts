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
  #pairs: LatestRecord[] = []
  #rejects: LatestRecord[] = []
  /** By block number; at most the blocks of the open cut and those in flight. */
  readonly #counts = new Map<number, { pairs: number; rejects: number }>()
  #version = 0
  #lastPair: LatestRecord | null = null

  /** The pair that was finished last, committed or not; null before the first. */
  get lastPair(): LatestRecord | null {
    return this.#lastPair
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
    return { pairs, rejects, latestPairs: [...this.#pairs], latestRejects: [...this.#rejects] }
  }

  #finished(pair: Pair, block: number): void {
    this.#count(block).pairs++
    this.#lastPair = latestRecord(pair, block, null)
    this.#pairs.push(this.#lastPair)
    if (this.#pairs.length > pairsMax) this.#pairs.shift()
  }

  #rejected(record: Candidate | Pair, block: number, stage: string, outcome: Dropped | Failed): void {
    const reason = 'drop' in outcome ? outcome.drop : outcome.fail.name
    const detail = 'drop' in outcome ? (outcome.detail ?? '') : outcome.fail.message
    this.#count(block).rejects++
    this.#rejects.push(latestRecord(record, block, { stage, reason, detail: shortened(detail) }))
    if (this.#rejects.length > rejectsMax) this.#rejects.shift()
  }

  #count(block: number): { pairs: number; rejects: number } {
    this.#version++
    const counts = this.#counts.get(block) ?? { pairs: 0, rejects: 0 }
    this.#counts.set(block, counts)
    return counts
  }
}

function latestRecord(record: Candidate | Pair, block: number, reject: LatestRecord['reject']): LatestRecord {
  const pair = isPair(record) ? record : null
  const candidate = pair?.candidate ?? (record as Candidate)
  const { split, shard, offset, chunk, text } = candidate
  return {
    ...{ id: record.id, split, shard, offset, chunk, block, reject },
    variant: pair?.variant ?? -1,
    instruction: shortened(pair?.instruction ?? ''),
    output: reject === null ? shortened(pair?.output ?? text) : null,
    raw: shortened(text),
    score: scoreOf(record.columns),
    finishedAt: new Date().toISOString(),
  }
}

function scoreOf(columns: StageCells): number | null {
  const score = ownValue(columns, 'score')
  return typeof score === 'number' ? score : null
}

function shortened(text: string): string {
  return text.length <= textCharsMax ? text : `${text.slice(0, textCharsMax - 1)}…`.toWellFormed()
}

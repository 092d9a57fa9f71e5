/**
 * Counts records as they come out, in input order. Mutable and cumulative; what it hands out are plain sorted counters.
 */
import { dictionary, ownValue } from '../../core/dictionary.js'
import type { Settlement } from '../../core/item.js'
import { ContractError } from '../../errors.js'
import type { Candidate } from '../../kun/types.js'
import type { PrepareReject } from '../../text/block.js'
import { type Counters, count, type MutableRejects, type SplitCounters, sorted } from './counters.js'

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] }
interface MutableStage {
  in: number
  out: number
  dropped: Record<string, number>
  failed: number
}
type MutableSplit = Omit<Mutable<SplitCounters>, 'documentRejects' | 'chunkRejects' | 'attemptRejects' | 'stages'> & {
  documentRejects: MutableRejects
  chunkRejects: MutableRejects
  attemptRejects: MutableRejects
  stages: Record<string, MutableStage>
}

export class Tally {
  readonly #splits = new Map<string, MutableSplit>()
  readonly #llmStages: readonly string[]
  #documentsSeen = 0
  #lastDocument = Number.NaN
  #lastCandidate = ''

  /**
   * @param splits every split of the recipe: one that yields nothing is in the account too
   * @param llmStages names of the stages after dedup, in order
   * @param from counters of the last committed cut, or null
   */
  constructor(splits: readonly string[], llmStages: readonly string[], from: Counters | null) {
    this.#llmStages = llmStages
    for (const split of splits) this.#splits.set(split, startingFrom(ownValue(from, split), llmStages))
  }

  counters(): Counters {
    return sorted(Object.fromEntries(this.#splits))
  }

  /** A worker refused a document, or a chunk of one that has others. */
  refused(split: string, reject: PrepareReject): void {
    const own = this.#split(split)
    if (reject.chunk === null) {
      this.#documentsSeen++
      own.documents++
      count(own.documentRejects, reject.stage, reject.reason)
      this.#pass(own, 'documents', reject.reason)
      return
    }
    this.#chunk(own, reject.offset)
    count(own.chunkRejects, reject.stage, reject.reason)
    this.#pass(own, 'chunks', reject.reason)
  }

  chunkRejected(split: string, { offset }: Candidate, { stage, reason, kind }: Settlement): void {
    const own = this.#split(split)
    this.#chunk(own, offset)
    this.#pass(own, 'chunks')
    count(own.chunkRejects, stage, reason)
    this.#pass(own, 'dedup', kind === 'failed' ? null : reason)
  }

  attemptRejected(split: string, candidate: Candidate, settlement: Settlement): void {
    const own = this.#split(split)
    this.#attempt(own, candidate)
    count(own.attemptRejects, settlement.stage, settlement.reason)
    for (const stage of this.#llmStages) {
      if (stage === settlement.stage) {
        this.#pass(own, stage, settlement.kind === 'failed' ? null : settlement.reason)
        return
      }
      this.#pass(own, stage)
    }
  }

  row(split: string, candidate: Candidate): void {
    const own = this.#split(split)
    this.#attempt(own, candidate)
    own.rows++
    for (const stage of this.#llmStages) this.#pass(own, stage)
  }

  /** The worker counted the documents of the block on its own: what arrived must be as many. */
  endBlock(split: string, documents: number): void {
    if (this.#documentsSeen !== documents) {
      throw new ContractError(
        `a block of split '${split}' had ${documents} documents, but records of ${this.#documentsSeen} arrived: one was lost or counted twice`,
      )
    }
    this.#documentsSeen = 0
    this.#lastDocument = Number.NaN
    this.#lastCandidate = ''
  }

  #attempt(own: MutableSplit, { id, offset }: Candidate): void {
    if (id !== this.#lastCandidate) {
      this.#lastCandidate = id
      this.#chunk(own, offset)
      own.candidates++
      this.#pass(own, 'chunks')
      this.#pass(own, 'dedup')
    }
    own.attempts++
  }

  /** Records of one document come one after the other, and no two documents of a shard stand at one offset. */
  #chunk(own: MutableSplit, documentOffset: number): void {
    own.chunks++
    if (documentOffset === this.#lastDocument) return
    this.#lastDocument = documentOffset
    this.#documentsSeen++
    own.documents++
    own.documentsChunked++
    this.#pass(own, 'documents')
  }

  /** @param reason undefined: went on · a word: dropped · null: failed */
  #pass(own: MutableSplit, stage: string, reason?: string | null): void {
    const counts = own.stages[stage] as MutableStage
    counts.in++
    if (reason === undefined) counts.out++
    else if (reason === null) counts.failed++
    else counts.dropped[reason] = (counts.dropped[reason] ?? 0) + 1
  }

  #split(name: string): MutableSplit {
    const own = this.#splits.get(name)
    if (own === undefined) throw new ContractError(`a record came of split '${name}', which the recipe does not have`)
    return own
  }
}

function startingFrom(counters: SplitCounters | undefined, llmStages: readonly string[]): MutableSplit {
  // A copy, of dictionaries.
  if (counters !== undefined) return sorted(counters) as MutableSplit
  const stage = (): MutableStage => ({ in: 0, out: 0, dropped: dictionary(), failed: 0 })
  const names = ['documents', 'chunks', 'dedup', ...llmStages]
  return {
    documents: 0,
    documentsChunked: 0,
    documentRejects: dictionary(),
    chunks: 0,
    candidates: 0,
    chunkRejects: dictionary(),
    attempts: 0,
    rows: 0,
    attemptRejects: dictionary(),
    stages: dictionary(names.map((name) => [name, stage()] as const)),
  }
}

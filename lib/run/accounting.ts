/**
 * The exact account of a run, by split: the records that were read, and the outcome of each. Records are counted when
 * the sink releases them, in input order. Numbers only, no time and no rate: the same input and replies give the same
 * account, to the byte of its JSON.
 */
import { dictionary, ownValue } from '../core/dictionary.js'
import type { Settlement } from '../core/item.js'
import { ContractError } from '../errors.js'
import { type RowFigures, RowFiguresCounter, type WordOrder } from '../kun/row-figures.js'
import type { StageNames } from '../kun/stages.js'
import type { Candidate, Pair } from '../kun/types.js'
import type { PrepareReject } from '../text/block.js'
import { sumPersonalAccounts } from '../text/personal/account.js'
import type { PersonalAccount } from '../text/personal/documents.js'

/** Reason → count, keys in order of code unit. */
type Reasons = Readonly<Record<string, number>>
/** Stage → reason → count, keys in order of code unit. */
type RejectCounts = Readonly<Record<string, Reasons>>

/** in = out + dropped + failed, in the unit that the stage drops: document, chunk or attempt. */
interface StageCounts {
  readonly in: number
  readonly out: number
  readonly dropped: Reasons
  readonly failed: number
}

/** Counters of one split. Three equations hold exactly at each cut, and one for each stage. */
export interface SplitCounters {
  /** documents = documentsChunked + documentRejects */
  readonly documents: number
  readonly documentsChunked: number
  readonly documentRejects: RejectCounts
  /** chunks = candidates + chunkRejects; a candidate is a chunk that reached the label stage */
  readonly chunks: number
  readonly candidates: number
  readonly chunkRejects: RejectCounts
  /** Label attempts, one per variant or instruction of a reply: attempts = rows + attemptRejects */
  readonly attempts: number
  readonly rows: number
  readonly attemptRejects: RejectCounts
  readonly stages: Readonly<Record<string, StageCounts>>
  /** What the rows are like. */
  readonly figures: RowFigures
  /** Personal data that was masked, or for which something was dropped; absent if none was found. */
  readonly personal?: Readonly<Partial<Record<PersonalPlace, PersonalAccount>>>
}

/** Where personal data was found. */
export type PersonalPlace = 'text' | 'instruction' | 'output'

/** Counters by split. JSON-safe; keys in order of code unit. */
export type Counters = Readonly<Record<string, SplitCounters>>

/** Sums over all splits, from the start of the dataset. */
export interface RunTotals {
  readonly documents: number
  readonly chunks: number
  readonly candidates: number
  readonly rows: number
  readonly rejects: number
}

/** Counts released records. Cumulative, from the start of the dataset. */
export class Accounting {
  readonly #splits = new Map<string, MutableSplit>()
  readonly #stages: StageNames
  readonly #figures = new Map<string, RowFiguresCounter>()
  #rows = 0
  #documentsSeen = 0
  #lastDocument = Number.NaN
  #lastCandidate = ''

  /**
   * @param splits all splits of the recipe: one that yields nothing is counted too
   * @param stages names of the stages after dedup
   * @param from counters of the last committed cut, or null
   * @param allWords counts every word of a column, so that the counters can be added to others: `addCounters`
   */
  constructor(splits: readonly string[], stages: StageNames, from: Counters | null, allWords = false) {
    this.#stages = stages
    for (const split of splits) {
      const own = ownValue(from, split)
      this.#splits.set(split, startingFrom(own, stages))
      this.#figures.set(split, new RowFiguresCounter(own?.figures, allWords))
      this.#rows += own?.rows ?? 0
    }
  }

  /** Rows of all splits. */
  get rows(): number {
    return this.#rows
  }

  /** Returns a copy of the counters. */
  counters(): Counters {
    const splits = [...this.#splits].map(([name, own]) => {
      const figures = (this.#figures.get(name) as RowFiguresCounter).figures()
      return [name, { ...own, figures }] as const
    })
    return sortKeys(dictionary(splits))
  }

  /** Returns the order of the words of each split, for `addCounters`. */
  wordOrders(): Readonly<Record<string, WordOrder>> {
    return dictionary([...this.#figures].map(([split, figures]) => [split, figures.wordOrder()] as const))
  }

  /** Returns the sums of all splits, without the copy that `counters` makes. */
  totals(): RunTotals {
    const splits = [...this.#splits.values()]
    const all = (of: (own: MutableSplit) => number): number => splits.reduce((sum, own) => sum + of(own), 0)
    return {
      documents: all(({ documents }) => documents),
      chunks: all(({ chunks }) => chunks),
      candidates: all(({ candidates }) => candidates),
      rows: all(({ rows }) => rows),
      rejects: all((own) => total(own.documentRejects) + total(own.chunkRejects) + total(own.attemptRejects)),
    }
  }

  /** Counts a document, or one chunk of a document, that a worker rejected. */
  prepareRejected(split: string, reject: PrepareReject): void {
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

  /** Counts a chunk that the deduplication or a model stage before the label stage dropped or failed. */
  chunkRejected(split: string, { offset }: Candidate, settlement: Settlement): void {
    const own = this.#split(split)
    this.#chunk(own, offset)
    this.#pass(own, 'chunks')
    count(own.chunkRejects, settlement.stage, settlement.reason)
    this.#passUntil(own, ['dedup', ...this.#stages.chunks], settlement)
  }

  /** Counts an attempt that a model stage dropped or failed. */
  attemptRejected(split: string, candidate: Candidate, settlement: Settlement): void {
    const own = this.#split(split)
    this.#attempt(own, candidate)
    count(own.attemptRejects, settlement.stage, settlement.reason)
    this.#passUntil(own, this.#stages.attempts, settlement)
  }

  /** Counts a row. */
  row(split: string, pair: Pair): void {
    const own = this.#split(split)
    this.#attempt(own, pair.candidate)
    own.rows++
    this.#rows++
    this.#figures.get(split)?.add(pair)
    for (const stage of this.#stages.attempts) this.#pass(own, stage)
  }

  /** Counts personal data. It is in no equation: a text may have any number of items. */
  personal(split: string, place: PersonalPlace, account: PersonalAccount): void {
    const own = this.#split(split)
    const sum = sumPersonalAccounts([own.personal?.[place], account])
    own.personal = { ...own.personal, ...(sum !== null && { [place]: sum }) }
  }

  /**
   * Compares the documents of a block that were counted here with the worker's count.
   *
   * @throws {ContractError} they differ
   */
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
      for (const stage of ['chunks', 'dedup', ...this.#stages.chunks]) this.#pass(own, stage)
    }
    own.attempts++
  }

  /** Records of a document arrive one after the other, and the documents of a shard have different offsets. */
  #chunk(own: MutableSplit, documentOffset: number): void {
    own.chunks++
    if (documentOffset === this.#lastDocument) return
    this.#lastDocument = documentOffset
    this.#documentsSeen++
    own.documents++
    own.documentsChunked++
    this.#pass(own, 'documents')
  }

  /** Counts a record in the stages up to the one that dropped or failed it. */
  #passUntil(own: MutableSplit, stages: readonly string[], { stage: last, kind, reason }: Settlement): void {
    for (const stage of stages) {
      const isLast = stage === last
      this.#pass(own, stage, ...(isLast ? [kind === 'failed' ? null : reason] : []))
      if (isLast) return
    }
  }

  /** @param reason undefined: continued · a word: dropped · null: failed */
  #pass(own: MutableSplit, stage: string, reason?: string | null): void {
    const counts = own.stages[stage] as MutableStage
    counts.in++
    if (reason === undefined) counts.out++
    else if (reason === null) counts.failed++
    else counts.dropped[reason] = (counts.dropped[reason] ?? 0) + 1
  }

  #split(name: string): MutableSplit {
    const own = this.#splits.get(name)
    if (own === undefined) throw new ContractError(`received a record of split '${name}', which is not in the recipe`)
    return own
  }
}

function startingFrom(counters: SplitCounters | undefined, { chunks, attempts }: StageNames): MutableSplit {
  // `sorted` returns a copy.
  if (counters !== undefined) return sortKeys(counters) as MutableSplit
  const stage = (): MutableStage => ({ in: 0, out: 0, dropped: dictionary(), failed: 0 })
  const names = ['documents', 'chunks', 'dedup', ...chunks, ...attempts]
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

/** An equation that does not hold. */
interface AccountingFault {
  readonly split: string
  readonly equation: string
  readonly left: number
  readonly right: number
}

/**
 * Checks three equations for each split, and the sum of each stage:
 * documents = chunked + rejected · chunks = candidates + rejected · attempts = rows + rejected + in flight.
 *
 * @param inFlight label attempts that are neither row nor reject yet, by split; 0 at a cut
 * @returns the equations that do not hold
 */
export function checkAccounting(
  counters: Counters,
  inFlight: Readonly<Record<string, number>> = {},
): AccountingFault[] {
  const faults: AccountingFault[] = []
  for (const [split, own] of Object.entries(counters)) {
    const check = (equation: string, left: number, right: number) => {
      if (left !== right) faults.push({ split, equation, left, right })
    }
    const { documents, documentsChunked, chunks, candidates, attempts, rows } = own
    check('documents = chunked + rejected', documents, documentsChunked + total(own.documentRejects))
    check('chunks = candidates + rejected', chunks, candidates + total(own.chunkRejects))
    const pending = ownValue(inFlight, split) ?? 0
    check('attempts = rows + rejected + in flight', attempts, rows + total(own.attemptRejects) + pending)
    if (pending > 0) continue
    for (const [stage, counts] of Object.entries(own.stages)) {
      const left = counts.out + sum(counts.dropped) + counts.failed
      check(`${stage}: in = out + dropped + failed`, counts.in, left)
    }
  }
  return faults
}

/** Returns a copy with dictionaries in place of objects, keys in order of code unit at every depth. */
export function sortKeys<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  return dictionary(entries.map(([key, inner]) => [key, sortKeys(inner)] as const)) as Value
}

/** Stage → reason → count. Dictionaries, because a reason may have any name. */
export type MutableRejects = Record<string, Record<string, number>>

/** Adds a reject to a dictionary. */
export function count(rejects: MutableRejects, stage: string, reason: string): void {
  rejects[stage] ??= dictionary<number>()
  const reasons = rejects[stage]
  reasons[reason] = (reasons[reason] ?? 0) + 1
}

/** Returns the rows of all splits. */
export function rowsOf(counters: Counters): number {
  return Object.values(counters).reduce((all, { rows }) => all + rows, 0)
}

/** Returns the sum over all stages and reasons. */
export function total(rejects: RejectCounts): number {
  return Object.values(rejects).reduce((all, reasons) => all + sum(reasons), 0)
}

function sum(reasons: Reasons): number {
  return Object.values(reasons).reduce((all, one) => all + one, 0)
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] }
interface MutableStage {
  in: number
  out: number
  dropped: Record<string, number>
  failed: number
}
type MutableSplit = Omit<
  Mutable<SplitCounters>,
  'documentRejects' | 'chunkRejects' | 'attemptRejects' | 'stages' | 'figures'
> & {
  documentRejects: MutableRejects
  chunkRejects: MutableRejects
  attemptRejects: MutableRejects
  stages: Record<string, MutableStage>
}

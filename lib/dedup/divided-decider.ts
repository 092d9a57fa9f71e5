/**
 * Decides on the rows of blocks like block-decider.ts, with the tables of the index in threads of their own
 * (index-thread.ts), which search for the rows of the next block while this thread decides on the one before. This thread
 * has the documents, verifies what was found, and decides in order (block-resolver.ts).
 */
import { sharedBuffers } from '../core/shared-buffers.js'
import { ContractError } from '../errors.js'
import { frameHeadBytes } from '../storage/frames.js'
import { textLengthAt } from '../text/columns.js'
import { blockRowsMax, type Findings, type RowsToInsert, type RowsToProbe } from './band-tables.js'
import type { DecidedBlock, IndexFigures } from './block-decider.js'
import type { BlockFrames } from './block-frames.js'
import { packedIds } from './block-ids.js'
import { BlockResolver, BlockState } from './block-resolver.js'
import { type BlockToDecide, isStored, keysOf } from './block-rows.js'
import { type BlockTexts, CandidateSettler, type Documents, type ReadText } from './candidate-settler.js'
import { DocumentStore, type StoredColumns } from './document-store.js'
import { IndexThreads, type RowsToName } from './index-threads.js'
import { decodeKept, type IdBytes, idOf, type KeptRow, keyBytes } from './kept-frames.js'
import type { DecidePlan, LogLengths } from './plan.js'
import type { Duplicate } from './types.js'

/** A block that is searched for, or waits for that. */
interface SearchedBlock {
  readonly probe: RowsToProbe
  readonly name: RowsToName | null
  readonly ids: IdBytes
  readonly found: Promise<readonly Findings[]>
  readonly start: (found: Promise<readonly Findings[]>) => void
  /** Whether the block before was not in the tables yet. Known once it is searched for. */
  hasBefore: boolean
}

/** Whether an index with this plan has tables to divide. A Bloom index cannot be: a hit may come from bits of two documents. */
export function canBeDivided({ kind, exact, banding }: DecidePlan): boolean {
  return kind === 'exact' && (exact || banding.bands > 0)
}

export class DividedDecider {
  readonly #plan: DecidePlan
  readonly #threads: IndexThreads
  readonly #store: DocumentStore
  readonly #settler: CandidateSettler
  readonly #frames: BlockFrames
  #textsBytes = 0
  readonly #announced = new Map<BlockToDecide, SearchedBlock>()
  /** Not searched for yet, oldest first. */
  readonly #waiting: SearchedBlock[] = []
  /** Number of blocks that are searched for and not decided on: at most two. */
  #undecided = 0
  /** Of blocks that were decided on since the last one was searched for. */
  #inserts: RowsToInsert[] = []
  readonly #resolver: BlockResolver
  /** The block that is decided on and the one before, in turns. */
  readonly #states: readonly [BlockState, BlockState]
  #before: BlockState | null = null
  /** Memory for the columns of the block that is decided on and of the one before, in turns. */
  readonly #copies: [Uint8Array, Uint8Array][] = []
  #copy = 0
  /** Rows of a block whose later frames are not restored yet. */
  #restored: KeptRow[] = []
  /** Settles when what was given so far is restored. */
  #restoring: Promise<void> = Promise.resolve()

  /** @throws {MemoryRefusedError} the system provides no memory */
  constructor(plan: DecidePlan, threads: number, frames: BlockFrames, readText: ReadText) {
    const { bands, rows } = plan.banding
    this.#plan = plan
    this.#frames = frames
    this.#threads = new IndexThreads(plan, threads)
    this.#store = new DocumentStore({ bands, rows, minima: plan.near === false ? 0 : plan.near.minima })
    this.#settler = new CandidateSettler(plan, frames, readText)
    this.#resolver = new BlockResolver(plan)
    this.#states = [new BlockState(bands + 1), new BlockState(bands + 1)]
  }

  get figures(): IndexFigures {
    return { documents: this.#store.count, memoryBytes: this.#store.memoryBytes + this.#threads.memoryBytes }
  }

  /**
   * Adds the documents of a frame of a dedup log, once the last frame of its block is there.
   *
   * @throws {CorruptFileError} another program wrote the frame
   */
  async restore(payload: Uint8Array): Promise<void> {
    const { rows, more } = decodeKept(payload)
    this.#restored.push(...rows)
    if (more) return
    const block = this.#restored
    this.#restored = []
    if (block.length === 0) return
    const searched = this.#search(restoredRows(this.#plan, block), null, restoredIds(block))
    this.#restoring = this.#restoring.then(() => this.#addRestored(searched, block))
    await this.#restoring
  }

  /** Sets the lengths of both logs, to which the frames of later blocks are appended. */
  begin(lengths: LogLengths): void {
    this.#restored = []
    this.#settler.begin(this.#store.count)
    this.#textsBytes = lengths.textsBytes
    this.#frames.begin(lengths)
  }

  /** Announces a block that `decide` is called for soon. */
  announce(block: BlockToDecide): void {
    const { columns, ids, split, shard } = block
    const { rows, letters, signature, offset, chunk } = columns
    if (rows >= blockRowsMax) throw new ContractError(`block ${block.number}: ${rows} rows`)
    const bytes = new Uint8Array(sharedBuffers.take(Math.max(1, rows * 16)), 0, rows * 16)
    const own = ids === null ? { bytes, longIds: null } : packedIds(ids, bytes)
    const name = ids === null ? { split, shard, offset, chunk, bytes } : null
    this.#announced.set(block, this.#search({ rows, keys: keysOf(columns), letters, signature }, name, own))
  }

  /** Returns the memory of frames that were written, up to these lengths of the logs. */
  written(lengths: LogLengths): void {
    this.#frames.written(lengths)
  }

  /** Resolves when the next block may be decided; `done` follows once the frames are encoded. */
  async decide(block: BlockToDecide): Promise<{ readonly done: Promise<DecidedBlock> }> {
    if (!this.#announced.has(block)) this.announce(block)
    const searched = this.#announced.get(block) as SearchedBlock
    this.#announced.delete(block)
    const { columns } = block
    const state = await this.#begin(searched)
    const resolver = this.#resolver
    // Grown: an array of a given length has holes for V8, which sends it by key and element.
    const verdicts: (Duplicate | null)[] = []
    const texts = new Float64Array(columns.rows).fill(-1)
    const documents = this.#documents(state, searched.ids, texts)
    const blockTexts: BlockTexts = {
      columns,
      start: this.#textsBytes,
      rowAt: (offset) => rowOrNone(texts.indexOf(offset)),
    }
    let found = resolver.nextFound()
    for (let row = 0; row < columns.rows; row++) {
      const hasFinding = row === found
      if (hasFinding) {
        const { equal, candidates } = resolver.find(row, false)
        found = resolver.nextFound()
        const verdict =
          candidates === null
            ? exactDuplicate(documents.id(equal))
            : this.#settler.decide(documents, candidates, row, blockTexts)
        const duplicate = verdict instanceof Promise ? await verdict : verdict
        if (duplicate !== null) {
          verdicts.push(duplicate)
          continue
        }
      }
      verdicts.push(null)
      resolver.keep(row, hasFinding)
      if (!isStored(this.#plan, columns, row)) continue
      texts[row] = this.#textsBytes
      this.#textsBytes += frameHeadBytes + textLengthAt(columns.text, row)
    }
    const rows = this.#end(searched, state, texts)
    const textOffsets = Float64Array.from(rows, (row) => texts[row] as number)
    const kept = { rows, textOffsets, endBytes: this.#textsBytes }
    const encoded = Promise.resolve(this.#frames.encode(block, searched.ids, kept))
    const { figures } = this
    const done = encoded.then((frames) => {
      sharedBuffers.give(searched.ids.bytes.buffer as SharedArrayBuffer)
      return { ...frames, verdicts, figures }
    })
    return { done }
  }

  async #addRestored(searched: SearchedBlock, rows: readonly KeptRow[]): Promise<void> {
    const state = await this.#begin(searched)
    const resolver = this.#resolver
    let found = resolver.nextFound()
    for (let row = 0; row < rows.length; row++) {
      const hasFinding = row === found
      if (hasFinding) {
        resolver.find(row, true)
        found = resolver.nextFound()
      }
      resolver.keep(row, hasFinding)
    }
    this.#end(
      searched,
      state,
      Float64Array.from(rows, ({ textOffset }) => textOffset),
    )
  }

  /** Waits for what was found, and verifies it. */
  async #begin(searched: SearchedBlock): Promise<BlockState> {
    const found = await searched.found
    const columns = this.#copyOf(searched.probe)
    const verified = this.#store.verify(found, columns)
    const state = this.#states[this.#copy] as BlockState
    state.reset(columns, searched.probe.rows, this.#store.count)
    this.#resolver.begin(searched.hasBefore ? this.#before : null, state, verified)
    return state
  }

  /** Adds the rows that were kept, and lets the next block be searched for. Returns them. */
  #end({ ids }: SearchedBlock, state: BlockState, texts: Float64Array): Uint32Array {
    const kept = state.kept.slice(0, state.keptCount)
    this.#store.keep(kept, state.columns, ids.bytes, ids.longIds, texts)
    this.#inserts.push({ kept, full: Uint32Array.from(state.full) })
    this.#before = state
    this.#undecided--
    this.#searchNext()
    return kept
  }

  #search(probe: RowsToProbe, name: RowsToName | null, ids: IdBytes): SearchedBlock {
    let start: SearchedBlock['start'] = () => undefined
    const found = new Promise<readonly Findings[]>((resolve) => {
      start = resolve
    })
    found.catch(() => undefined) // reported where it is used
    const searched = { probe, name, ids, found, start, hasBefore: false }
    this.#waiting.push(searched)
    this.#searchNext()
    return searched
  }

  /** Of the blocks before one that is searched for, at most one may be undecided. */
  #searchNext(): void {
    if (this.#undecided >= 2) return
    const next = this.#waiting.shift()
    if (next === undefined) return
    next.hasBefore = this.#undecided > 0
    this.#undecided++
    const inserts = this.#inserts
    this.#inserts = []
    next.start(this.#threads.probe({ inserts, probe: next.probe, name: next.name }))
    this.#searchNext()
  }

  /** Copies columns that are compared while the next block is decided on: their memory is used again before. */
  #copyOf({ keys, signature }: RowsToProbe): StoredColumns {
    this.#copy = 1 - this.#copy
    const had = this.#copies[this.#copy]
    const place: [Uint8Array, Uint8Array] = [copyInto(had?.[0], keys), copyInto(had?.[1], signature)]
    this.#copies[this.#copy] = place
    return { keys: place[0], signature: place[1] }
  }

  /** Documents with those of the block that is being decided on. */
  #documents(state: BlockState, ids: IdBytes, texts: Float64Array): Documents {
    const store = this.#store
    const rowOf = (document: number) => state.kept[document - state.first] as number
    return {
      id: (document) => (document < state.first ? store.id(document) : idOf(ids, rowOf(document))),
      textOffset: (document) =>
        document < state.first ? store.textOffset(document) : (texts[rowOf(document)] as number),
    }
  }
}

function exactDuplicate(of: string): Duplicate {
  return { reason: 'exact-duplicate', of, similarity: 1 }
}

function rowOrNone(row: number): number | undefined {
  return row < 0 ? undefined : row
}

/** Returns memory of at least the length of `bytes`, with a copy of them: `had`, if it is long enough. */
function copyInto(had: Uint8Array | undefined, bytes: Uint8Array): Uint8Array {
  const copy = had !== undefined && had.length >= bytes.length ? had : new Uint8Array(Math.ceil(bytes.length * 1.25))
  copy.set(bytes)
  return copy
}

function restoredIds(rows: readonly KeptRow[]): IdBytes {
  return packedIds(rows.map(({ id }) => id))
}

function restoredRows({ near }: DecidePlan, rows: readonly KeptRow[]): RowsToProbe {
  const [minima, ngram] = near === false ? [0, 1] : [near.minima, near.ngram]
  const keys = new Uint8Array(new SharedArrayBuffer(rows.length * keyBytes))
  const signature = new Uint8Array(new SharedArrayBuffer(rows.length * minima))
  rows.forEach((row, i) => {
    keys.set(row.key, i * keyBytes)
    if (minima > 0) signature.set(row.signature.subarray(0, minima), i * minima)
  })
  const letters = Int32Array.from(rows, ({ hasShingle }) => (hasShingle ? ngram : 0))
  return { rows: rows.length, keys, letters, signature }
}

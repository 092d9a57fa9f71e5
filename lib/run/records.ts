/** Values of the graph after dedup: candidates, pairs, and documents and chunks that a worker rejected. */
import type { Released } from '../core/sink-node.js'
import type { Duplicate } from '../dedup/types.js'
import type { Candidate, Pair, StageCells } from '../kun/types.js'
import { type Block, excerptCharsMax, type PreparedBlock, type PrepareReject } from '../text/block.js'
import { textAt, textLengthAt } from '../text/columns.js'
import { recordId } from '../text/identity.js'

/**
 * A document or chunk that a worker rejected. Its stage and reason are in `reject`; its settlement names the dedup
 * stage.
 */
export class Rejected {
  constructor(
    readonly split: string,
    readonly shard: string,
    readonly reject: PrepareReject,
  ) {}
}

const noCells: StageCells = Object.freeze({})

/** A row of a prepared block. Its texts are decoded on first use, which is rare for a duplicate. */
export class ChunkCandidate implements Candidate {
  #text: string | null = null
  #id: string | null = null

  constructor(
    readonly block: PreparedBlock,
    readonly row: number,
    /** Why it is dropped; null for a candidate that continues. */
    readonly duplicate: Duplicate | null = null,
    readonly columns: StageCells = noCells,
  ) {}

  withColumns(columns: StageCells): ChunkCandidate {
    const copy = new ChunkCandidate(this.block, this.row, this.duplicate, columns)
    copy.#text = this.#text
    copy.#id = this.#id
    return copy
  }

  /** Computed on first use: a hash costs more than the rest of a candidate. */
  get id(): string {
    this.#id ??= recordId(this.split, this.shard, this.offset, this.chunk)
    return this.#id
  }

  get split(): string {
    return this.block.split
  }

  get source(): string | undefined {
    return this.block.source
  }

  get shard(): string {
    return this.block.shard
  }

  get offset(): number {
    return this.block.chunks.offset[this.row] as number
  }

  get chunk(): number {
    return this.block.chunks.chunk[this.row] as number
  }

  get tokens(): number {
    return this.block.chunks.tokens[this.row] as number
  }

  get key(): string {
    return textAt(this.block.chunks.key, this.row)
  }

  get title(): string {
    return textAt(this.block.chunks.title, this.row)
  }

  get heading(): string {
    return textAt(this.block.chunks.heading, this.row)
  }

  get text(): string {
    this.#text ??= textAt(this.block.chunks.text, this.row)
    return this.#text
  }

  /** Length in UTF-8, known without decoding: about what the text takes in memory. */
  get textBytes(): number {
    return textLengthAt(this.block.chunks.text, this.row)
  }

  toJSON(): Candidate {
    const { id, split, source, shard, offset, chunk, key, title, heading, text, tokens, columns } = this
    return { id, split, source, shard, offset, chunk, key, title, heading, text, tokens, columns }
  }
}

/** Values that may be dropped or failed. A block is such a value only if it contains no document. */
export type SettledRecord = SettledBlock | Candidate | Rejected | Pair

/** A block without documents, in whichever form: raw, prepared, or read from a unit. Only its number counts. */
type SettledBlock = Pick<Block, 'number'>

/** A value as the sink of a Kun graph receives it. */
export type ReleasedRecord = Released<Candidate | Pair, SettledRecord>

/** Returns the number of the block that a record came from. */
export function blockOf({ position: [block = 0] }: Pick<ReleasedRecord, 'position'>): number {
  return block
}

/** Returns the record that was released; null for a block without documents, which no stage split. */
export function recordOf({ value }: ReleasedRecord): Candidate | Rejected | Pair | null {
  return 'number' in value ? null : value
}

/** Returns whether a record is a pair, rather than a candidate or a reject of the workers. */
export function isPair(record: Candidate | Rejected | Pair): record is Pair {
  return 'candidate' in record
}

/** Returns the first characters of a text, for a reject. */
export function excerptOf(text: string): string {
  return text.length <= excerptCharsMax ? text : `${text.slice(0, excerptCharsMax - 1)}…`.toWellFormed()
}

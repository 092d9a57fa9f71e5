/**
 * Turns a prepared block into records in input order: candidates that go on, and what was refused or is a duplicate,
 * which keeps its place so that rejects come out in order too.
 */
import { Child } from '../core/types.js'
import type { Deduplicator, Duplicate } from '../dedup/types.js'
import type { Candidate } from '../kun/types.js'
import { excerptCharsMax, type PreparedBlock, type PrepareReject } from '../text/block.js'
import { textAt, textLengthAt } from '../text/columns.js'
import { recordId } from '../text/identity.js'

/** A document or chunk that a worker refused. Travels as a dropped record; its own stage and reason are what count. */
export class Refused {
  constructor(
    readonly split: string,
    readonly shard: string,
    readonly reject: PrepareReject,
  ) {}
}

/** A row of a prepared block. What is text in it is decoded when it is first asked for: of a duplicate that is rare. */
export class ChunkCandidate implements Candidate {
  #text: string | null = null

  constructor(
    private readonly block: PreparedBlock,
    private readonly row: number,
    readonly id: string,
  ) {}

  get split(): string {
    return this.block.split
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

  get text(): string {
    this.#text ??= textAt(this.block.chunks.text, this.row)
    return this.#text
  }

  /** In UTF-8, known without decoding: what the text takes in memory, about. */
  get textBytes(): number {
    return textLengthAt(this.block.chunks.text, this.row)
  }

  toJSON(): Candidate {
    const { id, split, shard, offset, chunk, key, title, text, tokens } = this
    return { id, split, shard, offset, chunk, key, title, text, tokens }
  }
}

export interface BlockRecords {
  readonly records: (Candidate | Child<Candidate>)[]
  /** Chunks kept: what a cut counts. */
  readonly candidates: number
}

/** Everything in a block as records, in input order: one a chunk and one a reject. Advances the deduplicator. */
export async function splitIntoRecords(block: PreparedBlock, deduplicator: Deduplicator): Promise<BlockRecords> {
  const { chunks, rejects, split, shard } = block
  const ids: string[] = new Array(chunks.rows)
  for (let row = 0; row < chunks.rows; row++) {
    ids[row] = recordId(split, shard, chunks.offset[row] as number, chunks.chunk[row] as number)
  }
  const duplicates = await deduplicator.decide(block, ids)
  const records: BlockRecords['records'] = []
  let candidates = 0
  let nextReject = 0
  for (let row = 0; row < chunks.rows; row++) {
    while (nextReject < rejects.length && comesBefore(rejects[nextReject] as PrepareReject, block, row)) {
      records.push(refused(block, rejects[nextReject++] as PrepareReject))
    }
    const candidate = new ChunkCandidate(block, row, ids[row] as string)
    const duplicate = duplicates[row] ?? null
    if (duplicate === null) {
      candidates++
      records.push(candidate)
    } else {
      records.push(new Child(candidate, { drop: duplicate.reason, detail: describe(duplicate) }))
    }
  }
  while (nextReject < rejects.length) records.push(refused(block, rejects[nextReject++] as PrepareReject))
  return { records, candidates }
}

function comesBefore(reject: PrepareReject, { chunks }: PreparedBlock, row: number): boolean {
  const document = chunks.document[row] as number
  if (reject.document !== document) return reject.document < document
  return (reject.chunk ?? -1) < (chunks.chunk[row] as number)
}

function refused({ split, shard }: PreparedBlock, reject: PrepareReject): Child<Candidate> {
  // The value of a dropped child is only ever read by the sink, which tells the two apart by class.
  return new Child(new Refused(split, shard, reject) as unknown as Candidate, {
    drop: reject.reason,
    detail: reject.detail,
  })
}

function describe({ of, similarity }: Duplicate): string {
  const figure = Number.isNaN(similarity) ? '' : ` at similarity ${similarity.toFixed(3)}`
  return of === '' ? `seen before${figure}` : `duplicate of ${of}${figure}`
}

/** The first characters of a text, for a reject. */
export function excerptOf(text: string): string {
  return text.length <= excerptCharsMax ? text : `${text.slice(0, excerptCharsMax - 1)}…`.toWellFormed()
}

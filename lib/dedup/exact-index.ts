/**
 * Index that verifies every hit of its hash tables against the kept document, so that neither table layout nor hash
 * collisions affect a verdict. It consists of parts with a memory of their own, which are searched in order. Where an
 * estimate is not enough, the caller compares the texts.
 */
import type { Banding, SettleBand } from './banding.js'
import { KeptDocuments } from './kept-documents.js'
import type { IdBytes, KeptRow } from './kept-frames.js'
import type { KeptRows, RowsToDecide } from './kept-rows.js'
import { kernelBytesMax } from './kernel-memory.js'
import type { Duplicate } from './types.js'

interface ExactIndexOptions {
  readonly exact: boolean
  /** Bytes of a signature; 0 when near-duplicates are not looked for. */
  readonly signatureLength: number
  readonly banding: Banding
  readonly settleBand: SettleBand
  /** Memory of a part; 4 GiB by default. The number of parts affects time, not verdicts. */
  readonly partBytesMax?: number
}

/** A kept document that is near the row (`sure`), or whose text must be compared to decide. */
export type NearCandidate = { readonly document: number; readonly similarity: number; readonly sure: boolean }

export class ExactIndex {
  readonly documents: KeptDocuments
  /** The row of the last `seek` in all parts. */
  #row: KeptRow | null = null
  /** The earliest document with its key; −1 for none. */
  #equal = -1
  /** Whether `near` has searched all parts for it. */
  #nearSearched = false
  /** Result of `sharing` where there are several parts. */
  readonly #sharing: Uint8Array
  readonly #options: ExactIndexOptions

  constructor(options: ExactIndexOptions) {
    this.#options = options
    this.#sharing = new Uint8Array(options.signatureLength === 0 ? 0 : options.banding.bands)
    this.documents = new KeptDocuments({ ...options, bytesMax: options.partBytesMax ?? kernelBytesMax })
  }

  get count(): number {
    return this.documents.count
  }

  get memoryBytes(): number {
    return this.documents.memoryBytes
  }

  /** Returns the earliest kept document with the key of the row, or null. */
  equal(row: KeptRow): Duplicate | null {
    if (!this.#options.exact) return null
    this.#seek(row)
    if (this.#equal < 0) return null
    return { reason: 'exact-duplicate', of: this.documents.id(this.#equal), similarity: 1 }
  }

  /** Returns kept documents that are or may be near the row, earliest first; the first sure one ends the list. */
  near(row: KeptRow): readonly NearCandidate[] {
    if (!row.hasShingle || this.#options.signatureLength === 0) return none
    this.#seek(row)
    let candidates = none
    for (const part of this.documents.parts) {
      candidates = this.#candidates(part, candidates)
      if (candidates.at(-1)?.sure === true) return candidates
    }
    this.#nearSearched = true
    return candidates
  }

  /**
   * Begins a block of rows that are decided on together, with the verdicts of `equal`, `near` and `keep` for one after the
   * other. Returns false if they must be looked up one by one.
   */
  begin(block: Omit<RowsToDecide, 'ids'>, ids: IdBytes): boolean {
    this.#row = null
    return this.documents.begin(block, ids)
  }

  /** Decides on rows from `from` on. Returns the next one whose text must be compared; the number of rows at the end. */
  decideRows(from: number): number {
    return this.documents.decideRows(from)
  }

  /** Returns the candidates of the row that `decideRows` returned, as `near` does. */
  candidates(): readonly NearCandidate[] {
    return this.#candidates(this.documents.last, none)
  }

  /** Keeps the row that `decideRows` returned. */
  keepRow(row: number): void {
    this.documents.keepRow(row)
  }

  /** Writes the verdicts of the block that `decideRows` reached by itself to the list, by row. */
  setDuplicates(verdicts: (Duplicate | null)[]): void {
    for (const { row, document, isEqual, similarity } of this.documents.last.duplicates()) {
      const reason = isEqual ? 'exact-duplicate' : 'near-duplicate'
      verdicts[row] = { reason, of: this.documents.id(document), similarity }
    }
  }

  /** Returns `before` with the candidates of a part, to the first sure one. */
  #candidates(part: KeptRows, before: NearCandidate[]): NearCandidate[] {
    let candidates = before
    for (let place = 0, found = part.near(); place < found; place++) {
      const { document, similarity } = part.similar(place)
      const sure = similarity >= this.#options.settleBand.high
      if (candidates === none) candidates = []
      candidates.push({ document: part.first + document, similarity, sure })
      if (sure) break
    }
    return candidates
  }

  /** Returns the number of documents that have each band of the row, or null if the row has no bands. Valid until the next call. */
  sharing(row: KeptRow): Uint8Array | null {
    if (!row.hasShingle || this.#options.signatureLength === 0) return null
    this.#seek(row)
    const { parts, last } = this.documents
    if (!this.#nearSearched) for (const part of parts) part.near()
    this.#nearSearched = true
    if (parts.length === 1) return last.sharing
    this.#sharing.set(last.sharing)
    for (const { sharing } of parts.slice(0, -1)) add(this.#sharing, sharing)
    return this.#sharing
  }

  /**
   * Adds a row. `equal` and `near` need not be called before.
   *
   * @param elsewhere number of documents that have each band and are in other indexes: a band may be full
   */
  keep(row: KeptRow, elsewhere: Uint8Array | null = null): void {
    this.#seek(row)
    const sharing = this.sharing(row)
    if (sharing !== null && sharing !== this.documents.last.sharing) this.documents.last.sharing.set(sharing)
    if (sharing !== null && elsewhere !== null) add(this.documents.last.sharing, elsewhere)
    this.documents.add(row)
    this.#row = null
  }

  #seek(row: KeptRow): void {
    if (this.#row === row) return
    this.#row = row
    this.#nearSearched = false
    this.#equal = -1
    for (const part of this.documents.parts) {
      const document = part.seek(row)
      if (this.#equal < 0 && document >= 0) this.#equal = part.first + document
    }
  }
}

function add(counts: Uint8Array, more: Uint8Array): void {
  for (let band = 0; band < counts.length; band++) counts[band] = (counts[band] as number) + (more[band] as number)
}

const none: NearCandidate[] = []

/**
 * The index that verifies: every hit of a table is checked against what is kept of the document, so that table layout
 * and hash collisions cannot decide anything. Goes through the shelves in order; texts are asked for through `settle`.
 */
import type { Banding, SettleBand } from './banding.js'
import { KeptDocuments } from './kept-documents.js'
import type { KeptRow } from './kept-frames.js'
import { shelfBytesMax } from './kept-rows.js'
import type { Duplicate } from './types.js'

export interface ExactIndexOptions {
  readonly exact: boolean
  /** 0 when near-duplicates are not looked for. */
  readonly minima: number
  readonly banding: Banding
  readonly settleBand: SettleBand
  /** Memory of a shelf; 4 GiB by default. More shelves take more time, and say the same. */
  readonly shelfBytesMax?: number
}

/** A near-duplicate found, or a document whose text must decide. */
export type Candidate = { readonly document: number; readonly similarity: number; readonly sure: boolean }

export class ExactIndex {
  readonly documents: KeptDocuments
  /** The row that all shelves hold, the earliest document with its key, and whether its bands were gone through. */
  #sought: KeptRow | null = null
  #equal = -1
  #comparedAll = false

  constructor(private readonly options: ExactIndexOptions) {
    this.documents = new KeptDocuments({ ...options, bytesMax: options.shelfBytesMax ?? shelfBytesMax })
  }

  get count(): number {
    return this.documents.count
  }

  get memoryBytes(): number {
    return this.documents.memoryBytes
  }

  /** The kept document with this key, or null. */
  equal(row: KeptRow): Duplicate | null {
    if (!this.options.exact) return null
    this.#seek(row)
    if (this.#equal < 0) return null
    return { reason: 'exact-duplicate', of: this.documents.id(this.#equal), similarity: 1 }
  }

  /** Kept documents that are, or by their estimate may be, near this one; the earliest first, none after a sure one. */
  near(row: KeptRow): readonly Candidate[] {
    if (!row.near || this.options.minima === 0) return none
    this.#seek(row)
    let candidates = none
    for (const shelf of this.documents.shelves) {
      for (let place = 0, found = shelf.near(); place < found; place++) {
        const { document, similarity } = shelf.similar(place)
        const sure = similarity >= this.options.settleBand.high
        if (candidates === none) candidates = []
        candidates.push({ document: shelf.first + document, similarity, sure })
        if (sure) return candidates
      }
    }
    this.#comparedAll = true
    return candidates
  }

  /** Adds a row. Neither `equal` nor `near` need come before. */
  keep(row: KeptRow): void {
    this.#seek(row)
    if (row.near && this.options.minima > 0) this.#count()
    this.documents.add(row)
    this.#sought = null
  }

  #seek(row: KeptRow): void {
    if (this.#sought === row) return
    this.#sought = row
    this.#comparedAll = false
    this.#equal = -1
    for (const shelf of this.documents.shelves) {
      const document = shelf.seek(row)
      if (this.#equal < 0 && document >= 0) this.#equal = shelf.first + document
    }
  }

  /** Lets the last shelf know how many documents share a band with the row in all of them: a band may be full. */
  #count(): void {
    const { shelves, last } = this.documents
    if (!this.#comparedAll) for (const shelf of shelves) shelf.near()
    for (const { sharing } of shelves.slice(0, -1)) {
      for (let band = 0; band < sharing.length; band++) {
        last.sharing[band] = (last.sharing[band] as number) + (sharing[band] as number)
      }
    }
  }
}

const none: Candidate[] = []

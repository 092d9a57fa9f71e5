/**
 * The index that verifies: every hit of a table is checked against what is kept of the document, so that table layout
 * and hash collisions cannot decide anything. Owns tables and columns; texts are asked for through `settle`.
 */
import { type Banding, bandHash, estimate, type SettleBand } from './banding.js'
import { KeptDocuments } from './kept-documents.js'
import type { KeptRow } from './kept-frames.js'
import { TagTables } from './tag-table.js'
import type { Duplicate } from './types.js'

export interface ExactIndexOptions {
  readonly exact: boolean
  /** 0 when near-duplicates are not looked for. */
  readonly permutations: number
  readonly banding: Banding
  readonly settleBand: SettleBand
}

/** A near-duplicate found, or a document whose text must decide. */
export type Candidate = { readonly document: number; readonly similarity: number; readonly sure: boolean }

/**
 * Documents a band key may lead to; of more, the earliest stay. Boilerplate that many texts share fills a band without
 * making them duplicates; their other bands still tell. It bounds a look-up at bands × 64 comparisons.
 */
const documentsPerBandMax = 64
/** Room for those of one tag: a few more than the limit, for keys that collide in 32 bits. */
const foundMax = documentsPerBandMax * 2

export class ExactIndex {
  readonly documents: KeptDocuments
  readonly #keys: TagTables
  readonly #bands: TagTables
  readonly #found: Uint32Array
  /** Of the row last looked up: whether a band leads to as many documents as it may. */
  readonly #full: Uint8Array
  #lookedUp: KeptRow | null = null

  constructor(private readonly options: ExactIndexOptions) {
    const { permutations, banding } = options
    this.documents = new KeptDocuments(permutations)
    this.#keys = new TagTables(options.exact ? 1 : 0)
    this.#bands = new TagTables(permutations === 0 ? 0 : banding.bands)
    this.#found = new Uint32Array(foundMax * (banding.bands + 1))
    this.#full = new Uint8Array(banding.bands)
  }

  get count(): number {
    return this.documents.count
  }

  get memoryBytes(): number {
    return this.documents.memoryBytes + this.#keys.memoryBytes + this.#bands.memoryBytes
  }

  /** The kept document with this key, or null. */
  equal(row: KeptRow): Duplicate | null {
    if (!this.options.exact) return null
    this.#keys.seek(0, keyTag(row.key))
    const end = this.#keys.collect(0, this.#found, 0)
    for (let i = 0; i < end; i++) {
      const document = this.#found[i] as number
      if (this.documents.hasKey(document, row.key)) {
        return { reason: 'exact-duplicate', of: this.documents.id(document), similarity: 1 }
      }
    }
    return null
  }

  /** Kept documents that are, or by their estimate may be, near this one; the earliest first, none after a sure one. */
  near(row: KeptRow): readonly Candidate[] {
    if (!row.near || this.options.permutations === 0) return none
    const end = this.#sharingBands(row)
    if (end === 0) return none
    const { settleBand, permutations } = this.options
    const candidates: Candidate[] = []
    let last = -1
    for (const document of this.#found.subarray(0, end).sort()) {
      if (document === last) continue
      last = document
      const similarity = estimate(this.documents.equalBytes(document, row.bytes), permutations)
      if (similarity < settleBand.low) continue
      const sure = similarity >= settleBand.high
      candidates.push({ document, similarity, sure })
      if (sure) break
    }
    return candidates
  }

  /** Adds a row. `near(row)` need not come before. */
  keep(row: KeptRow): void {
    const document = this.documents.add(row.key, row.bytes, row.id, row.textOffset)
    if (this.options.exact) {
      this.#keys.seek(0, keyTag(row.key))
      this.#keys.collect(0, none32, 0)
      this.#keys.insert(0, document)
    }
    if (!row.near || this.options.permutations === 0) return
    if (this.#lookedUp !== row) this.#sharingBands(row)
    this.#lookedUp = null
    for (let band = 0; band < this.options.banding.bands; band++) {
      if (this.#full[band] === 0) this.#bands.insert(band, document)
    }
  }

  /** Documents that share a band go to #found, unsorted, repeated; returns how many. */
  #sharingBands(row: KeptRow): number {
    const { bytes } = row
    this.#lookedUp = row
    const { bands, rows } = this.options.banding
    for (let band = 0; band < bands; band++) this.#bands.seek(band, bandHash(bytes, band * rows, rows) | 0)
    this.#bands.touch()
    let end = 0
    for (let band = 0; band < bands; band++) {
      const at = band * rows
      const start = end
      const until = this.#bands.collect(band, this.#found, start)
      for (let i = start; i < until; i++) {
        const document = this.#found[i] as number
        if (this.documents.hasBytes(document, bytes, at, at + rows)) this.#found[end++] = document
      }
      this.#full[band] = end - start >= documentsPerBandMax ? 1 : 0
    }
    return end
  }
}

const none: readonly Candidate[] = []
const none32 = new Uint32Array(0)

function keyTag(key: Uint8Array): number {
  return (key[0] as number) | ((key[1] as number) << 8) | ((key[2] as number) << 16) | ((key[3] as number) << 24)
}

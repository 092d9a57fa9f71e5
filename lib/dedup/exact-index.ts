/**
 * The index that verifies: every hit of a table is checked against what is kept of the document, so that table layout
 * and hash collisions cannot decide anything. Owns tables and columns; texts are asked for through `settle`.
 */
import { type Banding, bandHash, estimate, type SettleBand } from './banding.js'
import { KeptDocuments, keyTag } from './kept-documents.js'
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
  /** The bands, then the keys. */
  readonly #tables: TagTables
  readonly #bands: number
  readonly #found: Uint32Array
  /** Of the row last looked up: whether a band leads to as many documents as it may. */
  readonly #full: Uint8Array
  /** The row that the cursors stand at, and the one whose bands were gone through. */
  #lookedUp: KeptRow | null = null
  #sharing: KeptRow | null = null

  constructor(private readonly options: ExactIndexOptions) {
    const { permutations, banding } = options
    const { bands, rows } = banding
    this.documents = new KeptDocuments(permutations)
    this.#bands = permutations === 0 ? 0 : bands
    const tagOf = (table: number, document: number) =>
      table < this.#bands ? this.documents.bandTag(document, table * rows, rows) : this.documents.keyTag(document)
    this.#tables = new TagTables(this.#bands + (options.exact ? 1 : 0), tagOf)
    this.#found = new Uint32Array(foundMax * (bands + 1))
    this.#full = new Uint8Array(bands)
  }

  get count(): number {
    return this.documents.count
  }

  get memoryBytes(): number {
    return this.documents.memoryBytes + this.#tables.memoryBytes
  }

  /** The kept document with this key, or null. */
  equal(row: KeptRow): Duplicate | null {
    if (!this.options.exact) return null
    this.#lookUp(row)
    const end = this.#tables.collect(this.#bands, this.#found, 0)
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
    if (!row.near || this.#bands === 0) return none
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

  /** Adds a row. Neither `equal` nor `near` need come before. */
  keep(row: KeptRow): void {
    const document = this.documents.add(row.key, row.bytes, row.id, row.textOffset)
    const near = row.near && this.#bands > 0
    if (near) {
      if (this.#sharing !== row) this.#sharingBands(row)
    } else this.#lookUp(row)
    this.#lookedUp = null
    this.#sharing = null
    if (this.options.exact) {
      this.#tables.collect(this.#bands, none32, 0)
      this.#tables.insert(this.#bands, document)
    }
    if (!near) return
    for (let band = 0; band < this.#bands; band++) {
      if (this.#full[band] === 0) this.#tables.insert(band, document)
    }
  }

  /** Sets the cursors of all tables, and has their cache lines brought. */
  #lookUp(row: KeptRow): void {
    if (this.#lookedUp === row) return
    this.#lookedUp = row
    this.#sharing = null
    const { bytes } = row
    const { rows } = this.options.banding
    const { tags } = this.#tables
    if (row.near) for (let band = 0; band < this.#bands; band++) tags[band] = bandHash(bytes, band * rows, rows)
    if (this.options.exact) tags[this.#bands] = keyTag(row.key, 0)
    this.#tables.seek(row.near ? 0 : this.#bands, this.#tables.tables)
  }

  /** Documents that share a band go to #found, unsorted, repeated; returns how many. */
  #sharingBands(row: KeptRow): number {
    this.#lookUp(row)
    this.#sharing = row
    const { bytes } = row
    const { rows } = this.options.banding
    const { hitTables } = this.#tables
    this.#full.fill(0)
    let end = 0
    for (let hit = 0, hits = this.#tables.hits(0, this.#bands); hit < hits; hit++) {
      const band = hitTables[hit] as number
      const at = band * rows
      const start = end
      const until = this.#tables.collect(band, this.#found, start)
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

/**
 * A part of an exact index that is divided over processes: some of the documents that earlier epochs kept. It is searched
 * for the rows of an epoch before any of them is decided on; epoch-resolver.ts decides.
 */
import { ExactIndex } from './exact-index.js'
import type { KeptRow } from './kept-frames.js'
import { type DecidePlan, makeIndex } from './plan.js'

/** A kept document that is near a row (`sure`), or whose text must be compared to decide. */
export interface NearMatch {
  /** Its `textOffset`, which orders documents and locates the text. */
  readonly at: number
  readonly id: string
  /** Estimated. */
  readonly similarity: number
  readonly sure: boolean
}

/** What a part has of a row. JSON-safe. */
export interface PartFinding {
  /** Id of the document with the same key; null if this part has none. */
  readonly equal: string | null
  /** Earliest first; the first sure one ends the list. */
  readonly near: readonly NearMatch[]
  /** Bands of the row that documents have: number of the band, and of documents. Empty if the row is a duplicate for certain. */
  readonly sharing: readonly (readonly [band: number, documents: number])[]
}

export class IndexPart {
  readonly #index: ExactIndex
  /** Per band: what makes it full, or 0. */
  readonly #elsewhere: Uint8Array

  /** @throws {MemoryRefusedError} the system provides no memory */
  constructor(plan: DecidePlan) {
    this.#index = exactIndexOf(plan)
    this.#elsewhere = new Uint8Array(plan.near === false ? 0 : plan.banding.bands)
  }

  get documents(): number {
    return this.#index.count
  }

  get memoryBytes(): number {
    return this.#index.memoryBytes
  }

  /** Returns null if the part has nothing like the row. */
  find(row: KeptRow): PartFinding | null {
    const equal = this.#index.equal(row)
    if (equal !== null) return { equal: equal.of, near: [], sharing: [] }
    const near = matchesOf(this.#index, row)
    const sharing: [number, number][] = []
    if (near.at(-1)?.sure !== true) {
      this.#index.sharing(row)?.forEach((documents, band) => {
        if (documents > 0) sharing.push([band, documents])
      })
    }
    return near.length === 0 && sharing.length === 0 ? null : { equal: null, near, sharing }
  }

  /**
   * Adds a row that was kept. Rows must be added in input order.
   *
   * @param fullBands bands that have as many documents in all parts as a band takes
   */
  keep(row: KeptRow, fullBands: readonly number[]): void {
    this.#elsewhere.fill(0)
    for (const band of fullBands) this.#elsewhere[band] = this.#index.documents.last.documentsPerBandMax
    this.#index.keep(row, this.#elsewhere)
  }
}

/** Returns the documents of an index that are or may be near the row, earliest first; the first sure one ends the list. */
export function matchesOf(index: ExactIndex, row: KeptRow): NearMatch[] {
  const { documents } = index
  return index.near(row).map(({ document, similarity, sure }) => ({
    ...{ at: documents.textOffset(document), id: documents.id(document), similarity, sure },
  }))
}

/** @throws {TypeError} the plan is that of a Bloom index, which cannot be divided: a hit may come from bits of two documents */
export function exactIndexOf(plan: DecidePlan): ExactIndex {
  const index = makeIndex(plan)
  if (index instanceof ExactIndex) return index
  throw new TypeError('a Bloom index cannot be divided')
}

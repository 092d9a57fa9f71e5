/**
 * Decides on the rows of an epoch, in input order, with the same verdicts as one index of all documents: what the parts
 * have of earlier epochs comes first, then the documents of this epoch. A row is a duplicate if an earlier kept document is
 * equal or near, so a verdict depends on pairs and on order alone, and on which of the bands are full. A band takes the
 * earliest 64 documents of all epochs: the parts report how many it has, and `fullBands` says where a row was not added.
 */
import type { ExactIndex } from './exact-index.js'
import { exactIndexOf, matchesOf, type NearMatch, type PartFinding } from './index-part.js'
import type { KeptRow } from './kept-frames.js'
import type { DecidePlan } from './plan.js'
import type { Duplicate } from './types.js'

/** Verdict on a row of an epoch. */
export interface ResolvedRow {
  /** Null for a row that is kept. */
  readonly duplicate: Duplicate | null
  /** Of a kept row: bands that were full before it, for `IndexPart.keep`. */
  readonly fullBands: readonly number[]
}

/** Returns the similarity of a row and a document whose estimate is not sure: of their texts, or the estimate without them. */
export type Settle = (match: NearMatch, row: KeptRow) => number | Promise<number>

export class EpochResolver {
  readonly #index: ExactIndex
  readonly #threshold: number
  readonly #settle: Settle
  readonly #elsewhere: Uint8Array

  /** @throws {MemoryRefusedError} the system provides no memory */
  constructor(plan: DecidePlan, settle: Settle) {
    this.#index = exactIndexOf(plan)
    this.#threshold = plan.near === false ? 1 : plan.near.threshold
    this.#settle = settle
    this.#elsewhere = new Uint8Array(plan.near === false ? 0 : plan.banding.bands)
  }

  get memoryBytes(): number {
    return this.#index.memoryBytes
  }

  /**
   * Decides on the next row.
   *
   * @param findings of each part that has something like the row
   */
  async resolve(row: KeptRow, findings: readonly PartFinding[]): Promise<ResolvedRow> {
    const index = this.#index
    const equal = findings.find((found) => found.equal !== null)?.equal ?? index.equal(row)?.of
    if (equal !== undefined && equal !== null) return dropped('exact-duplicate', equal, 1)
    const earlier = findings.flatMap(({ near }) => near).sort((one, other) => one.at - other.at)
    const near = (await this.#first(earlier, row)) ?? (await this.#first(matchesOf(index, row), row))
    return near ?? { duplicate: null, fullBands: this.#keep(row, findings) }
  }

  /** Returns the verdict for the earliest match that is near by its estimate or by its text. */
  async #first(matches: readonly NearMatch[], row: KeptRow): Promise<ResolvedRow | null> {
    for (const match of matches) {
      if (match.sure) return dropped('near-duplicate', match.id, match.similarity)
      const similarity = await this.#settle(match, row)
      if (similarity >= this.#threshold) return dropped('near-duplicate', match.id, similarity)
    }
    return null
  }

  /** Adds the row; returns the bands that were full. */
  #keep(row: KeptRow, findings: readonly PartFinding[]): number[] {
    const elsewhere = this.#elsewhere.fill(0)
    for (const { sharing } of findings) {
      for (const [band, documents] of sharing) elsewhere[band] = (elsewhere[band] as number) + documents
    }
    const fullBands: number[] = []
    this.#index.sharing(row)?.forEach((documents, band) => {
      const full = documents + (elsewhere[band] as number) >= this.#index.documents.last.documentsPerBandMax
      if (full) fullBands.push(band)
    })
    this.#index.keep(row, elsewhere)
    return fullBands
  }
}

function dropped(reason: Duplicate['reason'], of: string, similarity: number): ResolvedRow {
  return { duplicate: { reason, of, similarity }, fullBands: [] }
}

/**
 * Decides on the rows of an epoch, in input order, with the same verdicts as one index of all documents. A row is a
 * duplicate if an earlier kept document is equal or near, so a verdict depends on pairs and on order alone, and on which
 * bands are full. `settleEarlier` decides by the documents of earlier epochs, which the parts found; the resolver decides
 * the rest by those of this epoch. A band takes the earliest 64 documents of all epochs: the parts report how many it has,
 * and `fullBands` says where a row is not added.
 */
import type { ExactIndex } from './exact-index.js'
import { exactIndexOf, matchesOf, type NearMatch, type PartFinding } from './index-part.js'
import type { KeptRow } from './kept-frames.js'
import type { DecidePlan } from './plan.js'
import type { Duplicate } from './types.js'

/** What all parts have of a row. JSON-safe. */
export interface EarlierFinding {
  /** Null if no document of an earlier epoch is equal or near. */
  readonly duplicate: Duplicate | null
  /** Bands of a row that is no duplicate of these: number of the band, and of documents in all parts. */
  readonly sharing: PartFinding['sharing']
}

/** Verdict on a row of an epoch. */
export interface ResolvedRow {
  /** Null for a row that is kept. */
  readonly duplicate: Duplicate | null
  /** Of a kept row: bands that were full before it, for `IndexPart.keep`. */
  readonly fullBands: readonly number[]
}

/** Returns the similarity of the texts of a row and a match that is not sure; the estimate if a text is not stored. */
export type Settle = (match: NearMatch, row: KeptRow) => number | Promise<number>

/** Decides on a row by what each part has of it. */
export async function settleEarlier(
  plan: DecidePlan,
  row: KeptRow,
  findings: readonly PartFinding[],
  settle: Settle,
): Promise<EarlierFinding> {
  const equal = findings.find((found) => found.equal !== null)?.equal ?? null
  if (equal !== null) return { duplicate: { reason: 'exact-duplicate', of: equal, similarity: 1 }, sharing: [] }
  const matches = findings.flatMap(({ near }) => near).sort((one, other) => one.at - other.at)
  const duplicate = await firstNear(plan, matches, row, settle)
  if (duplicate !== null) return { duplicate, sharing: [] }
  const counts = new Map<number, number>()
  for (const [band, documents] of findings.flatMap(({ sharing }) => sharing)) {
    counts.set(band, (counts.get(band) ?? 0) + documents)
  }
  return { duplicate, sharing: [...counts].sort(([one], [other]) => one - other) }
}

export class EpochResolver {
  readonly #plan: DecidePlan
  readonly #index: ExactIndex
  readonly #settle: Settle
  readonly #elsewhere: Uint8Array

  /** @throws {MemoryRefusedError} the system provides no memory */
  constructor(plan: DecidePlan, settle: Settle) {
    this.#plan = plan
    this.#index = exactIndexOf(plan)
    this.#settle = settle
    this.#elsewhere = new Uint8Array(plan.near === false ? 0 : plan.banding.bands)
  }

  get memoryBytes(): number {
    return this.#index.memoryBytes
  }

  /**
   * Decides on the next row.
   *
   * @param earlier null if no part has anything like it
   */
  async resolve(row: KeptRow, earlier: EarlierFinding | null): Promise<ResolvedRow> {
    const index = this.#index
    const before = earlier?.duplicate ?? null
    // One index looks for an equal document among all of them before it looks for a near one.
    const known = before?.reason === 'exact-duplicate' ? before : (index.equal(row) ?? before)
    const duplicate = known ?? (await firstNear(this.#plan, matchesOf(index, row), row, this.#settle))
    return { duplicate, fullBands: duplicate === null ? this.#keep(row, earlier?.sharing ?? []) : [] }
  }

  /** Adds the row; returns the bands that were full. */
  #keep(row: KeptRow, sharing: EarlierFinding['sharing']): number[] {
    const elsewhere = this.#elsewhere.fill(0)
    for (const [band, documents] of sharing) elsewhere[band] = documents
    const { documentsPerBandMax } = this.#index.documents.last
    const fullBands: number[] = []
    this.#index.sharing(row)?.forEach((documents, band) => {
      if (documents + (elsewhere[band] as number) >= documentsPerBandMax) fullBands.push(band)
    })
    this.#index.keep(row, elsewhere)
    return fullBands
  }
}

/** Returns the verdict for the earliest match that is near by its estimate or by its text. */
async function firstNear(
  { near }: DecidePlan,
  matches: readonly NearMatch[],
  row: KeptRow,
  settle: Settle,
): Promise<Duplicate | null> {
  for (const match of matches) {
    const similarity = match.sure ? match.similarity : await settle(match, row)
    if (match.sure || near === false || similarity >= near.threshold) {
      return { reason: 'near-duplicate', of: match.id, similarity }
    }
  }
  return null
}

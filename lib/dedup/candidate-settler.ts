/** Decides on a row by its candidates: the earliest that is near by its estimate or, where that could be wrong, by its text. */
import { textAt } from '../text/columns.js'
import { createSigner } from '../text/signature.js'
import type { BlockFrames } from './block-frames.js'
import type { DecideColumns } from './block-rows.js'
import type { NearCandidate } from './exact-index.js'
import { ShingleComparer } from './jaccard.js'
import type { DecidePlan } from './plan.js'
import type { Duplicate } from './types.js'

/** Reads the text of a kept document, stored at `offset`; null if it has none. */
export type ReadText = (document: number, offset: number) => string | null | Promise<string | null>

/** Kept documents, with those of the block that is being decided on. */
export interface Documents {
  id(document: number): string
  /** Returns the offset of its text in the texts log; −1 for none. */
  textOffset(document: number): number
}

/** The block that is being decided on, whose texts are not encoded yet. */
export interface BlockTexts {
  readonly columns: Pick<DecideColumns, 'text'>
  /** Length of the texts log before it. */
  readonly start: number
  /** Returns the row whose text is stored at `offset`; undefined for none. */
  rowAt(offset: number): number | undefined
}

export class CandidateSettler {
  readonly #plan: DecidePlan
  readonly #frames: BlockFrames
  readonly #readText: ReadText
  #comparer: Promise<ShingleComparer> | null = null
  /** Number of the first document that was not restored: its text is in `#frames` until it is written. */
  #firstDecided = 0

  constructor(plan: DecidePlan, frames: BlockFrames, readText: ReadText) {
    this.#plan = plan
    this.#frames = frames
    this.#readText = readText
  }

  /** @param documents number of those that were restored */
  begin(documents: number): void {
    this.#firstDecided = documents
  }

  /** Returns null if the row is not a duplicate of any candidate. Candidates are in the order of their documents. */
  decide(
    documents: Documents,
    candidates: readonly NearCandidate[],
    row: number,
    block: BlockTexts,
  ): Duplicate | null | Promise<Duplicate | null> {
    const [first] = candidates
    if (first === undefined) return null
    return first.sure
      ? duplicate(documents, first.document, first.similarity)
      : this.#settle(documents, candidates, textAt(block.columns.text, row), block)
  }

  async #settle(
    documents: Documents,
    candidates: readonly NearCandidate[],
    text: string,
    block: BlockTexts,
  ): Promise<Duplicate | null> {
    const { near } = this.#plan
    const threshold = near === false ? 1 : near.threshold
    this.#comparer ??= comparerOf(this.#plan)
    const comparer = await this.#comparer
    for (const { document, similarity, sure } of candidates) {
      if (sure) return duplicate(documents, document, similarity)
      const read = this.#textOf(documents, document, block)
      const other = read instanceof Promise ? await read : read
      const settled = other === null ? similarity : comparer.jaccard(other, text)
      if (settled >= threshold) return duplicate(documents, document, settled)
    }
    return null
  }

  #textOf(documents: Documents, document: number, block: BlockTexts): string | null | Promise<string | null> {
    const offset = documents.textOffset(document)
    if (offset < 0) return null
    const unwritten = document < this.#firstDecided ? null : this.#unwrittenText(offset, block)
    if (!(unwritten instanceof Promise)) return unwritten ?? this.#readText(document, offset)
    return unwritten.then((text) => text ?? this.#readText(document, offset))
  }

  /** Returns null for a text that is written. */
  #unwrittenText(offset: number, block: BlockTexts): string | null | Promise<string | null> {
    if (offset < block.start) return this.#frames.read(offset)
    const row = block.rowAt(offset)
    return row === undefined ? null : textAt(block.columns.text, row)
  }
}

function duplicate(documents: Documents, document: number, similarity: number): Duplicate {
  return { reason: 'near-duplicate', of: documents.id(document), similarity }
}

/** Made for the first pair that is compared: it loads tables. */
async function comparerOf({ near }: DecidePlan): Promise<ShingleComparer> {
  return new ShingleComparer(await createSigner({ signatureLength: 0, ...(near !== false && { ngram: near.ngram }) }))
}

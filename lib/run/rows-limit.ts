/**
 * The limit of rows of a run: whether it is reached, and how many candidates are worth requesting ahead of the sink, so
 * that a run that ends soon does not pay for replies that it will not use. Affects which requests are sent, never the bytes.
 */
import type { Credit } from '../core/credit.js'

interface RowsLimitOptions {
  /** Infinity: no limit. */
  readonly rowsMax: number
  /** Rows that a candidate gives at most. */
  readonly variants: number
  /** One credit per candidate between dedup and sink. */
  readonly credit: Credit
}

export class RowsLimit {
  readonly rowsMax: number
  readonly #variants: number
  readonly #credit: Credit
  /** Rows of earlier calls of `run`: the yield is that of this call. */
  #rowsBefore: number

  /** @param rows committed by earlier calls */
  constructor({ rowsMax, variants, credit }: RowsLimitOptions, rows: number) {
    this.rowsMax = rowsMax
    this.#variants = variants
    this.#credit = credit
    this.#rowsBefore = rows
    this.settled(rows)
  }

  isReached(rows: number): boolean {
    return rows >= this.rowsMax
  }

  /**
   * Adjusts the look-ahead to the rows that are missing and to the yield so far, which counts one candidate more than were
   * released, with all its variants: the first guess is that every candidate gives all its rows.
   */
  settled(rows: number): void {
    if (!Number.isFinite(this.rowsMax)) return
    const rowsPerCandidate = (rows - this.#rowsBefore + this.#variants) / (this.#credit.returned + 1)
    this.#credit.limitTo(Math.ceil((this.rowsMax - rows) / rowsPerCandidate))
  }
}

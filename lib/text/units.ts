/**
 * Units of a text, from which chunks are built: sentences, and lines that do not end with a sentence. Written by
 * text-scanner.ts, read by chunk.ts.
 */
import { growArray } from './grow-array.js'

/** Kind of boundary at the end of a unit. A chunk preferably ends at a boundary of a higher number. */
export const UnitEnd = { heading: 0, sentence: 1, line: 2, blankLine: 3 } as const

/** Columns of the units in order; unit i is codes[start[i] … end[i]), without blanks at either end. */
export interface Units {
  readonly count: number
  readonly start: Int32Array
  readonly end: Int32Array
  /** UnitEnd of each unit. */
  readonly rank: Uint8Array
  /** Estimated tokens from the start of the text to the end of the unit, in hundredths. */
  readonly centiTokens: Int32Array
  /** 3 × code units − UTF-8 bytes of the text before the start, and before the end, of the unit. */
  readonly savedStart: Int32Array
  readonly savedEnd: Int32Array
}

/** Growable columns of units, reused for every text. The last unit is always open, and not included in `count`. */
export class UnitList implements Units {
  count = 0
  start = new Int32Array(initialCapacity)
  end = new Int32Array(initialCapacity)
  rank = new Uint8Array(initialCapacity)
  centiTokens = new Int32Array(initialCapacity)
  savedStart = new Int32Array(initialCapacity)
  savedEnd = new Int32Array(initialCapacity)

  /** Removes all units and opens the first at 0. */
  clear(): void {
    this.count = 0
    this.open(0, 0)
  }

  /** Start of the open unit. */
  get openAt(): number {
    return this.start[this.count] as number
  }

  /** Sets the start of the open unit, which must be empty. @param saved as `savedStart` */
  open(start: number, saved: number): void {
    this.start[this.count] = start
    this.savedStart[this.count] = saved
  }

  /**
   * Closes the open unit and opens the next. If the open one is empty, it stays open, and the previous unit gets `rank`
   * if that is higher.
   *
   * @param saved as `savedEnd`
   */
  close(end: number, rank: number, centiTokens: number, saved: number): void {
    const index = this.count
    if (this.openAt === end) {
      if (index > 0 && rank > (this.rank[index - 1] as number)) this.rank[index - 1] = rank
      return
    }
    this.end[index] = end
    this.rank[index] = rank
    this.centiTokens[index] = centiTokens
    this.savedEnd[index] = saved
    this.count++
    if (this.count === this.start.length) this.#grow()
    this.open(end, saved)
  }

  #grow(): void {
    const capacity = 2 * this.count
    this.start = growArray(this.start, capacity)
    this.end = growArray(this.end, capacity)
    this.rank = growArray(this.rank, capacity)
    this.centiTokens = growArray(this.centiTokens, capacity)
    this.savedStart = growArray(this.savedStart, capacity)
    this.savedEnd = growArray(this.savedEnd, capacity)
  }
}

const initialCapacity = 64

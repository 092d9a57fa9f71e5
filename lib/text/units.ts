/**
 * The units of a text, which chunks are made of: sentences, and lines that do not end a sentence. Filled by text-scanner.ts,
 * read by chunk.ts.
 */
import { growArray } from './grow-array.js'

/** What ends at the end of a unit, by preference for a cut, least preferred first. */
export const UnitEnd = { heading: 0, sentence: 1, line: 2, blankLine: 3 } as const

/** The units in order; unit i is codes[start[i] … end[i]), without blanks at either end. */
export interface Units {
  readonly count: number
  readonly start: Int32Array
  readonly end: Int32Array
  /** A UnitEnd. */
  readonly rank: Uint8Array
  /** Estimated tokens from the start of the text to the end of the unit, in hundredths. */
  readonly centiTokens: Int32Array
  /** How much shorter the UTF-8 is than 3 bytes per code unit, from the start of the text to the start and end of the unit. */
  readonly savedStart: Int32Array
  readonly savedEnd: Int32Array
}

/** Builds units; the arrays are reused for every text. One unit is always open. */
export class UnitList implements Units {
  count = 0
  start = new Int32Array(firstCapacity)
  end = new Int32Array(firstCapacity)
  rank = new Uint8Array(firstCapacity)
  centiTokens = new Int32Array(firstCapacity)
  savedStart = new Int32Array(firstCapacity)
  savedEnd = new Int32Array(firstCapacity)

  clear(): void {
    this.count = 0
    this.open(0, 0)
  }

  /** Start of the open unit. */
  get openAt(): number {
    return this.start[this.count] as number
  }

  /** Opens a unit, or moves the start of the open one, which is still empty. */
  open(start: number, saved: number): void {
    this.start[this.count] = start
    this.savedStart[this.count] = saved
  }

  /** Closes the open unit and opens the next. If the open one is empty, the one before gets the better rank. */
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

const firstCapacity = 64

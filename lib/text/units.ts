/**
 * Where sentences and unended lines of a text end: what chunks are made of. Filled by page.ts, read by chunk.ts.
 */
import { growArray } from './grow-array.js'

/** What may end at a unit's end: the worth of cutting there, worst first. */
export const UnitEnd = { heading: 0, sentence: 1, line: 2, blankLine: 3 } as const

/** Sentences and unended lines, in order; unit i is codes[start[i] … end[i]), no blank at either side. */
export interface Units {
  readonly count: number
  readonly start: Int32Array
  readonly end: Int32Array
  /** A UnitEnd. */
  readonly rank: Uint8Array
  /** Estimated tokens from the text's start to the unit's end, in hundredths. */
  readonly centiTokens: Int32Array
  /** Bytes that UTF-8 takes less than 3 a code unit, from the text's start to the unit's start, and to its end. */
  readonly savedStart: Int32Array
  readonly savedEnd: Int32Array
}

/** Units under construction; the arrays serve one text after the other. One unit is always open. */
export class UnitList implements Units {
  count = 0
  start = new Int32Array(firstRoom)
  end = new Int32Array(firstRoom)
  rank = new Uint8Array(firstRoom)
  centiTokens = new Int32Array(firstRoom)
  savedStart = new Int32Array(firstRoom)
  savedEnd = new Int32Array(firstRoom)

  clear(): void {
    this.count = 0
    this.open(0, 0)
  }

  /** Where the open unit begins. */
  get openAt(): number {
    return this.start[this.count] as number
  }

  /** Opens a unit, or moves the open one, which has not begun. */
  open(start: number, saved: number): void {
    this.start[this.count] = start
    this.savedStart[this.count] = saved
  }

  /** Closes the open unit and opens the next; where it holds nothing, the one before ends on something better. */
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
    if (this.count === this.start.length) this.grow()
    this.open(end, saved)
  }

  private grow(): void {
    const room = 2 * this.count
    this.start = growArray(this.start, room)
    this.end = growArray(this.end, room)
    this.rank = growArray(this.rank, room)
    this.centiTokens = growArray(this.centiTokens, room)
    this.savedStart = growArray(this.savedStart, room)
    this.savedEnd = growArray(this.savedEnd, room)
  }
}

const firstRoom = 64

/**
 * Units of a text, from which chunks are built: sentences, and lines that do not end with a sentence. Written by
 * the scanner kernel, read by chunk.ts.
 */

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

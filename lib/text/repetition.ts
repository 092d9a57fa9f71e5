/**
 * How much of a text repeats itself: lines seen before, and stretches of `gramChars` code units seen before.
 * One pass, a rolling hash, one table: linear in the text's length.
 */
import type { CleanText } from './clean.js'

/** About six Chinese words: as long as the longest n-grams that Gopher's rules count (arXiv 2112.11446, table A1). */
const gramChars = 10

export interface Repetition {
  /** Code units in lines that stand earlier in the text, as a share of all in lines. */
  readonly lineShare: number
  /** n-grams (within a line) that stand earlier in the text, as a share of all n-grams. */
  readonly gramShare: number
}

export type RepetitionMeter = (text: CleanText) => Repetition

export function createRepetitionMeter(): RepetitionMeter {
  const seen = new Seen()
  return (text) => {
    const { lines, length, lineStart, codes } = text
    seen.open(length + lines)
    let lineChars = 0
    let grams = 0
    for (let line = 0; line < lines; line++) {
      const start = lineStart[line] as number
      let end = line + 1 === lines ? length : (lineStart[line + 1] as number)
      while (codes[end - 1] === 0x0a) end--
      lineChars += end - start
      grams += Math.max(0, end - start - gramChars + 1)
      seen.addLine(codes, start, end)
    }
    return {
      lineShare: lineChars === 0 ? 0 : seen.repeatedLineChars / lineChars,
      gramShare: grams === 0 ? 0 : seen.repeatedGrams / grams,
    }
  }
}

const multiplier = 0x01000193
/** multiplier ^ gramChars, modulo 2^32: what the hash of all before a stretch is multiplied by within it. */
const beforeGram = Array.from({ length: gramChars }).reduce<number>((power) => Math.imul(power, multiplier), 1)
/** Slots for each value: with 4, a repeat over half the text's length is missed 1 time in 9. */
const slotsPerValue = 4

/**
 * Hashes seen in one text. A slot holds the last hash that fell on it, and nothing is probed: the loop has no branch
 * to guess. So a repeat is missed where another hash took the slot meanwhile, and the shares are lower bounds.
 * Hashes are salted by text: what an earlier text left in a slot fits none of a later one, so nothing is cleared.
 */
class Seen {
  repeatedGrams = 0
  repeatedLineChars = 0
  private slots = new Int32Array(1024)
  private sums = new Int32Array(256)
  private mask = 1023
  private salt = 0

  /** The size of the table depends on this text alone, and so does the answer. */
  open(values: number): void {
    const room = 2 ** Math.ceil(Math.log2(Math.max(1024, slotsPerValue * values)))
    if (room > this.slots.length) this.slots = new Int32Array(room)
    this.mask = room - 1
    this.salt = (this.salt + saltStep) | 0
    this.repeatedGrams = this.repeatedLineChars = 0
  }

  /**
   * `sums` are the hashes of the line up to each place: that of a stretch is the difference of two, and the last is the
   * line's. One chain of a multiplication and an addition, which is what the loop takes.
   */
  addLine(codes: Uint16Array, start: number, end: number): void {
    const { slots, mask, salt } = this
    const chars = end - start
    if (chars + 1 > this.sums.length) this.sums = new Int32Array(2 * (chars + 1))
    const { sums } = this
    let hash = 0
    let repeated = 0
    for (let at = 1; at <= chars; at++) {
      hash = (Math.imul(hash, multiplier) + (codes[start + at - 1] as number)) | 0
      sums[at] = hash
      if (at < gramChars) continue
      const gram = (hash - Math.imul(sums[at - gramChars] as number, beforeGram)) | 0
      const slot = (gram ^ (gram >>> 15)) & mask
      const value = gram ^ salt
      repeated += slots[slot] === value ? 1 : 0
      slots[slot] = value
    }
    this.repeatedGrams += repeated
    hash ^= Math.imul(chars, lineMark)
    const slot = (hash ^ (hash >>> 15)) & mask
    const value = hash ^ salt
    if (slots[slot] === value) this.repeatedLineChars += chars
    slots[slot] = value
  }
}

/** 2^32 / golden ratio: salts come back after 2^32 texts. */
const saltStep = 0x9e3779b9 | 0
/** Odd: keeps the hash of a line apart from that of an n-gram, and lines of other lengths apart. */
const lineMark = 0x5bd1e995

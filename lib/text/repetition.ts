/**
 * How much of a text repeats itself: lines seen before, and stretches of `gramChars` code units seen before.
 * One pass, a rolling hash, one table: linear in the text's length.
 */
import type { CleanText } from './clean.js'
import type { TextMemory } from './text-memory.js'

/** About six Chinese words: as long as the longest n-grams that Gopher's rules count (arXiv 2112.11446, table A1). */
const gramChars = 10

export interface Repetition {
  /** Code units in lines that stand earlier in the text, as a share of all in lines. */
  readonly lineShare: number
  /** n-grams (within a line) that stand earlier in the text, as a share of all n-grams. */
  readonly gramShare: number
}

export type RepetitionMeter = (text: CleanText) => Repetition

/** @param memory that of the cleaner whose texts are measured */
export function createRepetitionMeter(memory: TextMemory): RepetitionMeter {
  const seen = new Seen(memory)
  return (text) => {
    const { lines, length, lineStart, codes } = text
    seen.open(length, lines)
    let lineChars = 0
    let grams = 0
    for (let line = 0; line < lines; line++) {
      const start = lineStart[line] as number
      let end = line + 1 === lines ? length : (lineStart[line + 1] as number)
      while (codes[end - 1] === 0x0a) end--
      lineChars += end - start
      grams += Math.max(0, end - start - gramChars + 1)
      seen.addLine(start, end - start)
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
  private mask = 0
  private salt = 0

  constructor(private readonly memory: TextMemory) {}

  /** The size of the table depends on this text alone, and so does the answer. */
  open(chars: number, lines: number): void {
    const room = 2 ** Math.ceil(Math.log2(Math.max(1024, slotsPerValue * (chars + lines))))
    this.memory.slots.reserve(room)
    this.memory.sums.reserve(chars + 1)
    this.mask = room - 1
    this.salt = (this.salt + saltStep) | 0
    this.repeatedGrams = this.repeatedLineChars = 0
  }

  addLine(start: number, chars: number): void {
    const { kernel, codes, sums, slots } = this.memory
    const { mask, salt } = this
    const from = codes.base + 2 * start
    this.repeatedGrams += kernel.repeated(
      from,
      chars,
      sums.base,
      slots.base,
      mask,
      salt,
      gramChars,
      multiplier,
      beforeGram,
    )
    const hash = kernel.lineHash.value ^ Math.imul(chars, lineMark)
    const slot = (hash ^ (hash >>> 15)) & mask
    const value = hash ^ salt
    if (slots.view[slot] === value) this.repeatedLineChars += chars
    slots.view[slot] = value
  }
}

/** 2^32 / golden ratio: salts come back after 2^32 texts. */
const saltStep = 0x9e3779b9 | 0
/** Odd: keeps the hash of a line apart from that of an n-gram, and lines of other lengths apart. */
const lineMark = 0x5bd1e995

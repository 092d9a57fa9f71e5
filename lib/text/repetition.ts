/**
 * Measures repetition in a text: repeated lines, and repeated n-grams of `gramChars` code units. One pass with a rolling
 * hash and one table: linear in the length of the text.
 */
import type { CleanText } from './clean.js'
import type { TextMemory } from './text-memory.js'

/** About six Chinese words: as long as the longest n-grams that Gopher's rules count (arXiv 2112.11446, table A1). */
const gramChars = 10

export interface Repetition {
  /** Share of the code units that are in lines which occur earlier in the text. */
  readonly lineShare: number
  /** Share of the n-grams (within a line) that occur earlier in the text. */
  readonly gramShare: number
}

export type RepetitionMeter = (text: CleanText) => Repetition

/** @param memory of the cleaner whose texts are measured */
export function createRepetitionMeter(memory: TextMemory): RepetitionMeter {
  const seen = new SeenHashes(memory)
  return (text) => {
    const { lines, length, lineStart } = text
    seen.open(length, lines)
    // After `open`, which may grow the memory: a view taken before would be detached and read as undefined.
    const { codes } = text
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
/** multiplier ^ gramChars, modulo 2^32: factor of the hash before an n-gram, to remove it from the hash after. */
const beforeGram = Array.from({ length: gramChars }).reduce<number>((power) => Math.imul(power, multiplier), 1)
/** Slots per value: with 4, a repeat at a distance of half the text is missed 1 time in 9. */
const slotsPerValue = 4

/**
 * Hashes seen in one text. Each slot holds the last hash that maps to it, without probing, so that the loop has no
 * unpredictable branch. A repeat is missed if another hash has overwritten its slot: the shares are lower bounds.
 * The table is cleared for each text: what is found depends on this text alone, not on earlier ones of the thread.
 */
class SeenHashes {
  repeatedGrams = 0
  repeatedLineChars = 0
  readonly #memory: TextMemory
  #mask = 0

  constructor(memory: TextMemory) {
    this.#memory = memory
  }

  /** Resets for a text. The size of the table, and so the result, depends on this text alone. */
  open(chars: number, lines: number): void {
    const slotCount = 2 ** Math.ceil(Math.log2(Math.max(1024, slotsPerValue * (chars + lines))))
    this.#memory.slots.reserve(slotCount)
    this.#memory.sums.reserve(chars + 1)
    this.#mask = slotCount - 1
    this.#memory.slots.view.fill(0, 0, slotCount)
    this.repeatedGrams = this.repeatedLineChars = 0
  }

  addLine(start: number, chars: number): void {
    const { kernel, codes, sums, slots } = this.#memory
    const mask = this.#mask
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

/** 2^32 / golden ratio. Makes the value of a hash differ from that of an empty slot, 0. */
const salt = 0x9e3779b9 | 0
/** Odd: separates hashes of lines from those of n-grams, and lines by length. */
const lineMark = 0x5bd1e995

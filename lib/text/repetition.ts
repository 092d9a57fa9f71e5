/**
 * Measures repetition in a text: repeated lines, and n-grams of `gramChars` code units that occur more than once. One pass
 * with a rolling hash and one table: linear in the length of the text.
 */
import type { CleanText } from './clean.js'
import { textEndOf } from './text-lines.js'
import type { TextMemory } from './text-memory.js'

/** As in EvalWeb (arXiv 2311.01149), which limits the share of 13-grams that are repeated. */
const gramChars = 13

interface Repetition {
  /** Share of the code units that are in lines which occur earlier in the text. */
  readonly lineShare: number
  /** Share of the n-grams of the text that occur more than once, first occurrences included. */
  readonly gramShare: number
}

export type RepetitionMeter = (text: CleanText) => Repetition

/** @param memory of the cleaner whose texts are measured */
export function createRepetitionMeter(memory: TextMemory): RepetitionMeter {
  const seen = new SeenHashes(memory)
  return (text) => {
    const { lines, length } = text
    seen.open(length, lines)
    const grams = Math.max(0, length - gramChars + 1)
    const repeatedGrams = seen.addGrams(length)
    let lineChars = 0
    for (let line = 0; lines > 1 && line < lines; line++) {
      const start = text.lineStart[line] as number
      const end = textEndOf(text, line)
      lineChars += end - start
      seen.addLine(start, end)
    }
    return {
      lineShare: lineChars === 0 ? 0 : seen.repeatedLineChars / lineChars,
      gramShare: grams === 0 ? 0 : repeatedGrams / grams,
    }
  }
}

const multiplier = 0x01000193
/** multiplier ^ gramChars, modulo 2^32: factor of the hash before an n-gram, to remove it from the hash after. */
const beforeGram = powerOf(gramChars)
/** Slots per value: with 4, a repeat at a distance of half the text is missed 1 time in 9. */
const slotsPerValue = 4

/**
 * Hashes seen in one text. Each slot holds the last hash that maps to it, without probing, so that the loop has no
 * unpredictable branch. A repeat is missed if another hash has overwritten its slot: the shares are lower bounds.
 * The table is cleared for each text: what is found depends on this text alone, not on earlier ones of the thread.
 */
class SeenHashes {
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
    this.repeatedLineChars = 0
  }

  /** Adds the n-grams of the text; returns the number of those that occur more than once. */
  addGrams(chars: number): number {
    const { kernel, codes, sums, slots } = this.#memory
    sums.view[0] = 0
    return kernel.repeated(
      codes.base,
      chars,
      sums.base,
      slots.base,
      this.#mask,
      salt,
      gramChars,
      multiplier,
      beforeGram,
    )
  }

  /** After `addGrams`, which leaves the hash up to each position. */
  addLine(start: number, end: number): void {
    const sums = this.#memory.sums.view
    const slots = this.#memory.slots.view
    const chars = end - start
    const sum = ((sums[end] as number) - Math.imul(sums[start] as number, power(chars))) | 0
    const hash = sum ^ Math.imul(chars, lineMark)
    const slot = (hash ^ (hash >>> 15)) & this.#mask
    const value = (hash ^ salt) & ~1
    if (((slots[slot] as number) & ~1) === value) this.repeatedLineChars += chars
    slots[slot] = value
  }
}

/** multiplier ^ exponent, modulo 2^32. */
function power(exponent: number): number {
  return powers[exponent] ?? powerOf(exponent)
}

function powerOf(exponent: number): number {
  let result = 1
  for (let [factor, rest] = [multiplier, exponent]; rest > 0; rest >>>= 1) {
    if ((rest & 1) === 1) result = Math.imul(result, factor)
    factor = Math.imul(factor, factor)
  }
  return result
}

/** Powers for the lengths of most lines. */
const powers = Int32Array.from({ length: 256 }, (_, exponent) => powerOf(exponent))

/** 2^32 / golden ratio. Makes the value of a hash differ from that of an empty slot, 0. */
const salt = 0x9e3779b9 | 0
/** Odd: separates hashes of lines from those of n-grams, and lines by length. */
const lineMark = 0x5bd1e995

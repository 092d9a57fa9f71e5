/**
 * Measures repetition in a text: repeated lines, and n-grams of `gramChars` code units that occur more than once. One pass
 * with a rolling hash and one table: linear in the length of the text. Prose is cleared by upper bounds, for less.
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

export interface RepetitionMeter {
  readonly exact: (text: CleanText) => Repetition
  /** Shares that the exact ones do not exceed. They cost a fraction of these, and clear nearly all prose. */
  readonly lineShareAtMost: (text: CleanText) => number
  readonly gramShareAtMost: (text: CleanText) => number
  /** 4-grams of a text of at most 65,535 code units whose hash, of 12 bits, occurs `times` or more. */
  readonly frequentGrams: (text: CleanText, times: number) => number
  /** A number that this one does not exceed. */
  readonly frequentGramsAtMost: (text: CleanText, times: number) => number
  /** Clauses of over 3 ideographs, at most, of which the hash of the first 3, or of the last 3, is the same. */
  readonly sameEdges: (text: CleanText) => number
  /** Clauses of the text of the last `sameEdges`. */
  readonly clauses: () => number
}

/** @param memory of the cleaner whose texts are measured */
export function createRepetitionMeter(memory: TextMemory): RepetitionMeter {
  const seen = new SeenHashes(memory)
  return {
    exact: (text) => {
      const { lines, length } = text
      seen.open(length, lines)
      const grams = gramsOf(length)
      const repeatedGrams = seen.addGrams(length)
      let lineChars = 0
      for (let line = 0; lines > 1 && line < lines; line++) {
        const start = text.lineStart[line] as number
        const end = textEndOf(text, line)
        lineChars += end - start
        seen.addLine(start, end)
      }
      return { lineShare: shareOf(seen.repeatedLineChars, lineChars), gramShare: shareOf(repeatedGrams, grams) }
    },
    lineShareAtMost: (text) => lineShareAtMost(text, seen),
    gramShareAtMost: ({ length }) => shareOf(seen.gramsAtMost(gramsOf(length)), gramsOf(length)),
    frequentGrams: ({ length }, times) => {
      const table = countersIn(memory, 1)
      return memory.kernel.frequentGrams(memory.codes.base, length, table, times)
    },
    // A hash with `times` 4-grams or more is one of the different hashes, and leaves as many less for the others.
    frequentGramsAtMost: ({ length }, times) => {
      const table = countersIn(memory, 1)
      const repeated = Math.max(0, length - 3) - memory.kernel.differentFours(memory.codes.base, length, table)
      return (repeated * times) / (times - 1)
    },
    sameEdges: ({ length }) => {
      const tables = countersIn(memory, 2)
      return memory.kernel.sameEdges(memory.codes.base, length, tables)
    },
    clauses: () => memory.kernel.clauses.value,
  }
}

/** Reserves so many tables of counters, end to end in the memory of the slots; returns their address. */
function countersIn({ slots }: TextMemory, tables: number): number {
  slots.reserve((tables * counterTableBytes) / Int32Array.BYTES_PER_ELEMENT)
  return slots.base
}

/** 2^12 counters of 2 bytes. */
const counterTableBytes = 8192

function gramsOf(length: number): number {
  return Math.max(0, length - gramChars + 1)
}

function shareOf(part: number, all: number): number {
  return all === 0 ? 0 : part / all
}

/** At most one n-gram in 9 falls into the byte of another. */
const bytesPerGram = 4
/** One line in 16 falls into the byte of another. */
const bytesPerLine = 8

/** Takes lines for equal whose length, first, second, middle and last code units hash alike. */
function lineShareAtMost(text: CleanText, seen: SeenHashes): number {
  const { lines, lineStart, codes } = text
  if (lines < 2) return 0
  seen.openBytes(bytesPerLine * lines)
  let [all, repeated] = [0, 0]
  for (let line = 0; line < lines; line++) {
    const start = lineStart[line] as number
    const end = textEndOf(text, line)
    all += end - start
    const ends = (codes[start] as number) | ((codes[end - 1] as number) << 16)
    const inner = (codes[Math.min(start + 1, end - 1)] as number) | ((codes[(start + end) >>> 1] as number) << 16)
    const hash = Math.imul(Math.imul(ends ^ (end - start), multiplier) ^ inner, lineMark)
    if (seen.hasByte(hash)) repeated += end - start
  }
  return shareOf(repeated, all)
}

const multiplier = 0x01000193
/** multiplier ^ gramChars, modulo 2^32: factor of the hash before an n-gram, to remove it from the hash after. */
const beforeGram = powerOf(gramChars)
/** Slots per value: with 4, a repeat at a distance of half the text is missed 1 time in 9. */
const slotsPerValue = 4
/** Least size of the tables for what is repeated at most. */
const bytesMin = 256

/**
 * Hashes seen in one text. Each slot holds the last hash that maps to it, without probing, so that the loop has no
 * unpredictable branch. A repeat is missed if another hash has overwritten its slot: the shares are lower bounds.
 * The table is cleared for each text: what is found depends on this text alone, not on earlier ones of the thread.
 */
class SeenHashes {
  repeatedLineChars = 0
  readonly #memory: TextMemory
  #mask = 0
  #bytes = new Uint8Array(0)

  constructor(memory: TextMemory) {
    this.#memory = memory
  }

  /** Resets for a text. The size of the table, and so the result, depends on this text alone. */
  open(chars: number, lines: number): void {
    const slotCount = powerOfTwoFrom(Math.max(1024, slotsPerValue * (chars + lines)))
    this.#memory.slots.reserve(slotCount)
    this.#memory.sums.reserve(chars + 1)
    this.#mask = slotCount - 1
    this.repeatedLineChars = 0
  }

  /**
   * As many of so many n-grams as may occur more than once. Each n-gram determines the 4 code units at its start and at its end,
   * and a class of equal ones has two members or more: with `d` different such edges, at most 2 × (`grams` − `d`) are repeated.
   */
  gramsAtMost(grams: number): number {
    const bytes = this.#reserveBytes(bytesPerGram * grams)
    const { kernel, codes, slots } = this.#memory
    return Math.min(grams, 2 * (grams - kernel.differentAtLeast(codes.base, grams, slots.base, bytes - 1)))
  }

  /** Clears a table of a byte for each value, and up to two, over the memory of the slots. */
  openBytes(values: number): void {
    const bytes = this.#reserveBytes(values)
    const { slots } = this.#memory
    slots.view.fill(0, 0, bytes / Int32Array.BYTES_PER_ELEMENT)
    this.#bytes = new Uint8Array(slots.view.buffer, slots.base, bytes)
    this.#mask = bytes - 1
  }

  /** Reserves the memory of such a table; returns its size. */
  #reserveBytes(values: number): number {
    const bytes = powerOfTwoFrom(Math.max(bytesMin, values))
    this.#memory.slots.reserve(bytes / Int32Array.BYTES_PER_ELEMENT)
    return bytes
  }

  /** Whether a hash was there before, or another that falls into its byte; adds it. */
  hasByte(hash: number): boolean {
    const place = (hash ^ (hash >>> 15)) & this.#mask
    if (this.#bytes[place] === 1) return true
    this.#bytes[place] = 1
    return false
  }

  /** Clears the table, and adds the n-grams of the text; returns the number of those that occur more than once. */
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

/** Returns the least power of two that is not below a number from 2 to 2^31. */
function powerOfTwoFrom(least: number): number {
  return (1 << (31 - Math.clz32(least - 1))) * 2
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

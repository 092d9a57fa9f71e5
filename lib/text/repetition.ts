/**
 * How much of a text repeats itself: lines seen before, and stretches of `gramChars` code units seen before.
 * One pass, a rolling hash, tables that are never cleared but marked by text: linear in the text's length.
 */
import type { CleanText } from './clean.js'

/** About six Chinese words: as long as the longest n-grams that Gopher's rules count (arXiv 2112.11446, table A1). */
export const gramChars = 10

export interface Repetition {
  /** Code units in lines that stand earlier in the text, as a share of all in lines. */
  readonly lineShare: number
  /** n-grams (within a line) that stand earlier in the text, as a share of all n-grams. */
  readonly gramShare: number
}

export type RepetitionMeter = (text: CleanText) => Repetition

export function createRepetitionMeter(): RepetitionMeter {
  const lines = new SeenTable()
  const grams = new SeenTable()
  return (text) => {
    lines.open(text.lines)
    grams.open(text.length)
    let lineChars = 0
    let repeatedChars = 0
    let gramCount = 0
    let repeatedGrams = 0
    for (let line = 0; line < text.lines; line++) {
      const start = text.lineStart[line] as number
      const end = lineEnd(text, line)
      const size = end - start
      lineChars += size
      repeatedGrams += grams.addLine(text.codes, start, end)
      gramCount += Math.max(0, size - gramChars + 1)
      if (text.lines > 1 && lines.add(lineHash(text.codes, start, end))) repeatedChars += size
    }
    return {
      lineShare: lineChars === 0 ? 0 : repeatedChars / lineChars,
      gramShare: gramCount === 0 ? 0 : repeatedGrams / gramCount,
    }
  }
}

function lineEnd(text: CleanText, line: number): number {
  if (line + 1 === text.lines) return text.length
  let end = text.lineStart[line + 1] as number
  while (text.codes[end - 1] === 0x0a) end--
  return end
}

const multiplier = 0x01000193
/** multiplier ^ gramChars, modulo 2^32: takes the oldest code unit out of the window. */
const oldest = Array.from({ length: gramChars }).reduce<number>((power) => Math.imul(power, multiplier), 1)

function lineHash(codes: Uint16Array, start: number, end: number): number {
  let hash = end - start
  for (let index = start; index < end; index++) hash = Math.imul(hash ^ (codes[index] as number), multiplier)
  return hash
}

/** A set of 32-bit hashes, open addressing; two different strings of one hash are taken for a repeat (1 in 2^32 a pair). */
class SeenTable {
  private hashes = new Int32Array(1024)
  /** The text that wrote the slot: an older one leaves it free. */
  private owners = new Uint32Array(1024)
  private owner = 0
  private mask = 1023

  /** Empties the set and makes room for `count` values at half load. */
  open(count: number): void {
    const room = 2 ** Math.ceil(Math.log2(Math.max(1024, 2 * count)))
    if (room > this.hashes.length || this.owner === 0xffff_ffff) {
      this.hashes = new Int32Array(Math.max(room, this.hashes.length))
      this.owners = new Uint32Array(this.hashes.length)
      this.owner = 0
    }
    this.mask = room - 1
    this.owner++
  }

  /** @returns whether the hash was there already */
  add(hash: number): boolean {
    const { hashes, owners, owner, mask } = this
    let slot = (hash ^ (hash >>> 15)) & mask
    while (owners[slot] === owner) {
      if (hashes[slot] === hash) return true
      slot = (slot + 1) & mask
    }
    owners[slot] = owner
    hashes[slot] = hash
    return false
  }

  /** Adds every n-gram of the line; returns how many were there already. */
  addLine(codes: Uint16Array, start: number, end: number): number {
    const { hashes, owners, owner, mask } = this
    if (end - start < gramChars) return 0
    let hash = 0
    for (let index = start; index < start + gramChars - 1; index++) {
      hash = (Math.imul(hash, multiplier) + (codes[index] as number)) | 0
    }
    let repeated = 0
    let leaving = 0
    for (let index = start + gramChars - 1; index < end; index++) {
      hash = (Math.imul(hash, multiplier) + (codes[index] as number) - Math.imul(leaving, oldest)) | 0
      leaving = codes[index - gramChars + 1] as number
      let slot = (hash ^ (hash >>> 15)) & mask
      let seen = false
      while (owners[slot] === owner) {
        if (hashes[slot] === hash) {
          seen = true
          break
        }
        slot = (slot + 1) & mask
      }
      if (seen) repeated++
      else {
        owners[slot] = owner
        hashes[slot] = hash
      }
    }
    return repeated
  }
}

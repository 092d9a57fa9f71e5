/**
 * Finds phrases of a fixed list in code units. A look-up starts from two code units: a table of bits says whether any
 * phrase has them, which few pairs of ordinary text do; a hash table then gives the phrases.
 */

import type { TextMemory } from './text-memory.js'

/** A phrase of the list. */
export interface IndexedPhrase {
  readonly codes: Uint16Array
  /** Position in the list. */
  readonly number: number
}

/** Positions of a phrase at which it can be found: its start, or its start and the code unit after it. */
type Anchors = 1 | 2

export class PhraseIndex {
  /** One bit for each hash of two code units. */
  readonly bits = new Uint32Array(pairHashCount >>> 5)
  readonly #keys: Int32Array
  readonly #phrases: (readonly IndexedPhrase[])[]
  readonly #mask: number

  /**
   * @param phrases of at least 2 code units, or 3 to be found at their second code unit too
   * @param anchors 2: every phrase of 3 or more code units is found from one of any two neighbouring positions
   */
  constructor(phrases: readonly IndexedPhrase[], anchors: Anchors = 1) {
    const byPair = new Map<number, IndexedPhrase[]>()
    for (const phrase of phrases) {
      const { codes } = phrase
      for (let at = 0; at < anchors && at + 1 < codes.length; at++) {
        const key = pairKey(codes[at] as number, codes[at + 1] as number)
        byPair.set(key, [...(byPair.get(key) ?? []), phrase])
        const hash = pairHash(codes[at] as number, codes[at + 1] as number)
        this.bits[hash >>> 5] = (this.bits[hash >>> 5] as number) | (1 << (hash & 31))
      }
    }
    const slots = 2 ** Math.ceil(Math.log2(4 * byPair.size + 4))
    this.#mask = slots - 1
    this.#keys = new Int32Array(slots)
    this.#phrases = Array.from({ length: slots }, () => [])
    for (const [key, list] of byPair) {
      const slot = this.#slotOf(key)
      this.#keys[slot] = key
      this.#phrases[slot] = list.sort((a, b) => b.codes.length - a.codes.length)
    }
  }

  /** Returns the longest phrase that is at `at`, or null. Phrases anchored at their second code unit count too. */
  longestAt(codes: Uint16Array, at: number, length: number): IndexedPhrase | null {
    const first = codes[at] as number
    for (const phrase of this.#phrases[this.#slotOf(pairKey(first, codes[at + 1] as number))] ?? []) {
      if (matches(phrase.codes, codes, at, length)) return phrase
    }
    return null
  }

  /** Returns whether a phrase covers `at` from its first or its second code unit on. */
  covers(codes: Uint16Array, at: number, length: number): IndexedPhrase | null {
    const key = pairKey(codes[at] as number, codes[at + 1] as number)
    for (const phrase of this.#phrases[this.#slotOf(key)] ?? []) {
      if (matches(phrase.codes, codes, at, length) || matches(phrase.codes, codes, at - 1, length)) return phrase
    }
    return null
  }

  #slotOf(key: number): number {
    let slot = Math.imul(key, pairMultiplier) >>> 15
    for (slot &= this.#mask; this.#keys[slot] !== 0 && this.#keys[slot] !== key; slot = (slot + 1) & this.#mask);
    return slot
  }
}

/** Lists the positions of a cleaned text at which a phrase of an index may begin, by the kernel. */
export class PhraseHits {
  readonly #memory: TextMemory
  /** Address of a copy of the index's bits. */
  readonly #bits: number

  constructor(memory: TextMemory, { bits }: PhraseIndex) {
    this.#memory = memory
    this.#bits = memory.allocate(bits.byteLength)
    new Uint32Array(memory.buffer, this.#bits, bits.length).set(bits)
  }

  /**
   * Looks at the positions of codes[start … end) in steps of `step`.
   *
   * @returns the number of values in `hits` of the memory: positions from `start`
   */
  find(start: number, end: number, step: number): number {
    const { kernel, codes, hits } = this.#memory
    return kernel.pairHits(codes.base + 2 * start, end - start, step, this.#bits, hits.base)
  }
}

/** Size of the table of bits: 2^17 bits are 16 KiB, half of a first-level cache. */
const pairHashCount = 2 ** 17
/** 2^32 / golden ratio. */
const pairMultiplier = 0x9e3779b1

/** Hash of two code units, under 2^17. */
export function pairHash(first: number, second: number): number {
  return (Math.imul(first, 0x9e35) ^ second) & (pairHashCount - 1)
}

/** Not 0, the mark of a free slot: no phrase starts with U+0000. */
function pairKey(first: number, second: number): number {
  return (first << 16) | second
}

function matches(phrase: Uint16Array, codes: Uint16Array, at: number, length: number): boolean {
  if (at < 0 || at + phrase.length > length) return false
  for (let index = 0; index < phrase.length; index++) if (codes[at + index] !== phrase[index]) return false
  return true
}

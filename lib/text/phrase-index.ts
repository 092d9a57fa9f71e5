/**
 * Finds phrases of a fixed list in code units. A look-up starts from two code units: a table of bits says whether any
 * phrase has them, which few pairs of ordinary text do; a hash table then gives the phrases.
 */

import { codesOf } from './code-units.js'
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
  constructor(
    phrases: readonly IndexedPhrase[],
    readonly anchors: Anchors = 1,
  ) {
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

  /** Returns an index of phrases by their position in the list. Phrases of one code unit are skipped. */
  static of(phrases: readonly string[]): PhraseIndex {
    const indexed = phrases.map((phrase, number) => ({ codes: codesOf(phrase), number }))
    return new PhraseIndex(indexed.filter(({ codes }) => codes.length > 1))
  }

  /** Returns the longest phrase of codes[0 … length) that is at `at`, or null. */
  longestAt(codes: Uint16Array, at: number, length: number): IndexedPhrase | null {
    const [first, second] = [codes[at] as number, codes[at + 1] as number]
    const hash = pairHash(first, second)
    if ((((this.bits[hash >>> 5] as number) >>> (hash & 31)) & 1) === 0) return null
    for (const phrase of this.#phrases[this.#slotOf(pairKey(first, second))] ?? []) {
      if (matches(phrase.codes, codes, at, length)) return phrase
    }
    return null
  }

  /**
   * Returns the hash table as the kernel reads it: key and offset of the list (u32 each) of every slot, then the lists:
   * the number of phrases, and of each phrase its length, its number and its code units (u16 each).
   */
  encode(): Uint16Array {
    const unitsOf = ({ codes }: IndexedPhrase) => 2 + codes.length
    const lists = this.#phrases.filter(({ length }) => length > 0)
    const slotUnits = 4 * this.#keys.length
    const total = lists.flat().reduce((sum, phrase) => sum + unitsOf(phrase), slotUnits + lists.length)
    const table = new Uint16Array(total)
    const slots = new Uint32Array(table.buffer, 0, 2 * this.#keys.length)
    let at = slotUnits
    this.#phrases.forEach((list, slot) => {
      if (list.length === 0) return
      slots.set([this.#keys[slot] as number, 2 * at], 2 * slot)
      table[at++] = list.length
      for (const { codes, number } of list) {
        table.set([codes.length, number, ...codes], at)
        at += 2 + codes.length
      }
    })
    return table
  }

  /** Number of slots of the table. */
  get slotCount(): number {
    return this.#mask + 1
  }

  #slotOf(key: number): number {
    let slot = Math.imul(key, pairMultiplier) >>> 15
    for (slot &= this.#mask; this.#keys[slot] !== 0 && this.#keys[slot] !== key; slot = (slot + 1) & this.#mask);
    return slot
  }
}

/** Finds the phrases of an index in a cleaned text, by the kernel. */
export class PhraseHits {
  readonly #memory: TextMemory
  readonly #anchors: Anchors
  /** Addresses of copies of the index's bits and table. */
  readonly #bits: number
  readonly #slots: number
  readonly #mask: number

  constructor(memory: TextMemory, index: PhraseIndex) {
    const { anchors, bits, slotCount } = index
    const table = index.encode()
    this.#memory = memory
    this.#anchors = anchors
    this.#bits = memory.allocate(bits.byteLength)
    this.#slots = memory.allocate(table.byteLength)
    this.#mask = slotCount - 1
    new Uint32Array(memory.buffer, this.#bits, bits.length).set(bits)
    new Uint16Array(memory.buffer, this.#slots, table.length).set(table)
  }

  /**
   * Finds the longest phrase at each position of codes[0 … length) in steps of `step`; overlapping ones too.
   *
   * @returns the number of phrases; their positions are in `hits` of the memory, their numbers in `marks`
   */
  find(length: number, step: number): number {
    const { kernel, codes, hits, marks } = this.#memory
    return kernel.phrases(
      codes.base,
      length,
      step,
      this.#bits,
      this.#slots,
      this.#mask,
      this.#anchors,
      hits.base,
      marks.base,
    )
  }
}

/** Size of the table of bits: 2^17 bits are 16 KiB, half of a first-level cache. */
const pairHashCount = 2 ** 17
/** 2^32 / golden ratio. */
const pairMultiplier = 0x9e3779b1

/** Hash of two code units, under 2^17. */
function pairHash(first: number, second: number): number {
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

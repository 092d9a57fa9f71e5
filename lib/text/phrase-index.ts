/**
 * Finds phrases of a fixed list in code units. A look-up starts from two code units: a table of bits says whether any
 * phrase has them, which few pairs of ordinary text do; a hash table then gives the phrases.
 */

import type { TextMemory } from './text-memory.js'

/** A phrase of the list. */
export interface IndexedPhrase {
  readonly text: string
  /** Position in the list. */
  readonly number: number
}

/** A phrase that was found. */
interface FoundPhrase {
  /** Code units. */
  readonly length: number
  readonly number: number
}

/** Positions of a phrase at which it can be found: its start, or its start and the code unit after it. */
type Anchors = 1 | 2

export class PhraseIndex {
  /** One bit for each hash of two code units. */
  readonly bits = new Uint32Array(pairHashCount >>> 5)
  /**
   * The hash table as the kernel reads it: key and offset of the list (u32 each) of every slot, then the lists, longest
   * phrase first: the number of phrases, and of each phrase its length, its number and its code units (u16 each).
   */
  readonly table: Uint16Array<ArrayBuffer>
  /** Keys and offsets of the table. */
  readonly #slots: Int32Array
  readonly #mask: number

  /**
   * @param phrases of at least 2 code units, or 3 to be found at their second code unit too
   * @param anchors 2: every phrase of 3 or more code units is found from one of any two neighbouring positions
   */
  constructor(
    phrases: readonly IndexedPhrase[],
    readonly anchors: Anchors = 1,
  ) {
    const lists = new PhraseLists(phrases, anchors)
    const slots = slotsFor(lists.count)
    this.#mask = slots - 1
    this.table = new Uint16Array(4 * slots + lists.units)
    this.#slots = new Int32Array(this.table.buffer, 0, 2 * slots)
    let at = 4 * slots
    for (let list = 0; list < lists.count; list++) {
      const key = lists.keys[list] as number
      const [first, second] = [key >>> 16, key & 0xffff]
      const hash = pairHash(first, second)
      this.bits[hash >>> 5] = (this.bits[hash >>> 5] as number) | (1 << (hash & 31))
      const slot = this.#slotOf(key)
      this.#slots[2 * slot] = key
      this.#slots[2 * slot + 1] = 2 * at
      at = lists.write(list, this.table, at)
    }
  }

  /** Returns an index of phrases by their position in the list. Phrases of one code unit are skipped. */
  static of(phrases: readonly string[]): PhraseIndex {
    const indexed = phrases.map((text, number) => ({ text, number }))
    return new PhraseIndex(indexed.filter(({ text }) => text.length > 1))
  }

  /** Returns the longest phrase of codes[0 … length) that is at `at`, or null. */
  longestAt(codes: Uint16Array, at: number, length: number): FoundPhrase | null {
    const [first, second] = [codes[at] as number, codes[at + 1] as number]
    const hash = pairHash(first, second)
    if ((((this.bits[hash >>> 5] as number) >>> (hash & 31)) & 1) === 0) return null
    const { table } = this
    let place = (this.#slots[2 * this.#slotOf(pairKey(first, second)) + 1] as number) / 2
    if (place === 0) return null
    for (let rest = table[place++] as number; rest > 0; rest--) {
      const units = table[place] as number
      if (matches(table, place + 2, units, codes, at, length)) {
        return { length: units, number: table[place + 1] as number }
      }
      place += 2 + units
    }
    return null
  }

  /** Returns a smaller table for few hundred phrases, as the kernel reads it: bytes of 4 for the shorter hashes of their pairs. */
  marks(): Uint8Array {
    const marks = new Uint8Array(markCount)
    for (let hash = 0; hash < pairHashCount; hash++) {
      if ((((this.bits[hash >>> 5] as number) >>> (hash & 31)) & 1) === 1) marks[hash & (markCount - 1)] = 4
    }
    return marks
  }

  /** Number of slots of the table. */
  get slotCount(): number {
    return this.#mask + 1
  }

  #slotOf(key: number): number {
    const slots = this.#slots
    let slot = Math.imul(key, pairMultiplier) >>> 15
    for (slot &= this.#mask; slots[2 * slot] !== 0 && slots[2 * slot] !== key; slot = (slot + 1) & this.#mask);
    return slot
  }
}

/**
 * Phrases by the two code units from which they are found. Typed arrays, because a thread that starts makes an index of
 * thousands of phrases with code that is not optimized yet.
 */
class PhraseLists {
  /** Two code units of each list, in the order in which the phrases have them. */
  readonly keys: Int32Array
  count = 0
  /** Size of all lists in the table. */
  units = 0
  readonly #phrases: readonly IndexedPhrase[]
  /** First entry of each list, and the entry after each entry, from 1; 0 ends a list. */
  readonly #first: Int32Array
  readonly #next: Int32Array
  /** Index of the phrase of each entry. */
  readonly #phrase: Int32Array

  constructor(phrases: readonly IndexedPhrase[], anchors: Anchors) {
    const entriesMax = phrases.length * anchors
    this.#phrases = phrases
    this.keys = new Int32Array(entriesMax)
    this.#first = new Int32Array(entriesMax)
    this.#next = new Int32Array(entriesMax + 1)
    this.#phrase = new Int32Array(entriesMax + 1)
    const listAt = new Int32Array(slotsFor(entriesMax))
    let entry = 0
    for (let index = 0; index < phrases.length; index++) {
      const { text } = phrases[index] as IndexedPhrase
      for (let at = 0; at < anchors && at + 1 < text.length; at++) {
        this.#phrase[++entry] = index
        this.#add(entry, text.length, this.#listOf(pairKey(text.charCodeAt(at), text.charCodeAt(at + 1)), listAt))
      }
    }
  }

  /** Writes a list to `table` from `at` on. Returns the place after it. */
  write(list: number, table: Uint16Array, at: number): number {
    let place = at + 1
    let count = 0
    for (let entry = this.#first[list] as number; entry !== 0; entry = this.#next[entry] as number) {
      const { text, number } = this.#phrases[this.#phrase[entry] as number] as IndexedPhrase
      table[place++] = text.length
      table[place++] = number
      for (let unit = 0; unit < text.length; unit++) table[place++] = text.charCodeAt(unit)
      count++
    }
    table[at] = count
    return place
  }

  /** Returns the list of a key; a new one if there is none. @param listAt hash table of lists, from 1 */
  #listOf(key: number, listAt: Int32Array): number {
    const mask = listAt.length - 1
    let slot = (Math.imul(key, pairMultiplier) >>> 15) & mask
    for (;;) {
      const list = (listAt[slot] as number) - 1
      if (list >= 0 && this.keys[list] === key) return list
      if (list < 0) break
      slot = (slot + 1) & mask
    }
    this.keys[this.count] = key
    listAt[slot] = ++this.count
    this.units++
    return this.count - 1
  }

  /** Inserts an entry before the first one that is shorter. */
  #add(entry: number, length: number, list: number): void {
    let before = 0
    let after = this.#first[list] as number
    while (after !== 0 && this.#lengthOf(after) >= length) {
      before = after
      after = this.#next[after] as number
    }
    this.#next[entry] = after
    if (before === 0) this.#first[list] = entry
    else this.#next[before] = entry
    this.units += 2 + length
  }

  #lengthOf(entry: number): number {
    return (this.#phrases[this.#phrase[entry] as number] as IndexedPhrase).text.length
  }
}

/** Finds the phrases of an index in a cleaned text, by the kernel. */
export class PhraseHits {
  readonly #memory: TextMemory
  readonly #anchors: Anchors
  /** Addresses of copies of the index's bits and table. */
  readonly bits: number
  readonly slots: number
  readonly mask: number
  /** Address of what the kernel knows of the beginnings of phrases; 0: nothing. */
  readonly #openings: number

  constructor(memory: TextMemory, index: PhraseIndex) {
    const { anchors, bits, slotCount, table } = index
    this.#memory = memory
    this.#anchors = anchors
    this.bits = memory.allocate(bits.byteLength)
    this.slots = memory.allocate(table.byteLength)
    this.mask = slotCount - 1
    new Uint32Array(memory.buffer, this.bits, bits.length).set(bits)
    new Uint16Array(memory.buffer, this.slots, table.length).set(table)
    this.#openings = anchors === 2 ? memory.allocate(openingsBytes) : 0
    if (this.#openings > 0) memory.kernel.markOpenings(this.slots, this.mask, this.#openings)
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
      this.bits,
      this.slots,
      this.mask,
      this.#anchors,
      this.#openings,
      hits.base,
      marks.base,
    )
  }
}

/** Size of the table of bits: 2^17 bits are 16 KiB, half of a first-level cache. */
const pairHashCount = 2 ** 17
const markCount = 2 ** 14
/** Bytes of the table of beginnings. */
const openingsBytes = 2 ** 14
/** 2^32 / golden ratio. */
const pairMultiplier = 0x9e3779b1

/** Hash of two code units, under 2^17. */
function pairHash(first: number, second: number): number {
  return Math.imul(first | (second << 16), pairMultiplier) >>> 15
}

/** Not 0, the mark of a free slot: no phrase starts with U+0000. */
function pairKey(first: number, second: number): number {
  return (first << 16) | second
}

/** Slots of a hash table for so many keys: a power of two, half of them filled at most. */
function slotsFor(keys: number): number {
  return 2 ** Math.ceil(Math.log2(2 * keys + 2))
}

/** Whether the phrase of `units` code units at `place` of the table is at `at` of codes[0 … length). */
function matches(
  table: Uint16Array,
  place: number,
  units: number,
  codes: Uint16Array,
  at: number,
  length: number,
): boolean {
  if (at < 0 || at + units > length) return false
  for (let index = 0; index < units; index++) if (codes[at + index] !== table[place + index]) return false
  return true
}

/**
 * Features of a text for the screen: its distinct character 1-, 2- and 3-grams, hashed into buckets.
 *
 * A gram counts once, however often it occurs, so that the length of a text and its repetitions do not change what it is
 * about. Digits are one character, letters are lower case, blanks and line ends are one blank.
 */

import type { TextMemory } from '../text-memory.js'

/** Odd multipliers, from the fractional parts of √2, √3 and √5: one for each length of a gram. The kernel has the same. */
const unigramFactor = 0x6a09e667
const bigramFactor = 0xbb67ae85
const trigramFactor = 0x3c6ef373 | 1

/** Replacement of each code unit before hashing. */
const folded: Uint16Array = (() => {
  const table = new Uint16Array(65_536)
  for (let code = 0; code < table.length; code++) table[code] = code
  for (let code = 0x30; code <= 0x39; code++) table[code] = 0x30
  for (let code = 0x41; code <= 0x5a; code++) table[code] = code + 0x20
  for (const code of [0x09, 0x0a, 0x0d, 0x3000]) table[code] = 0x20
  return table
})()

/** Lists the distinct buckets of one text at a time. The memory is reused for every text of the thread. */
export class GramBuckets {
  /** Buckets of the last text, the first `count` of them. */
  buckets = new Int32Array(4096)
  count = 0
  /** Number of the text in which each bucket was last seen. */
  readonly #seen: Int32Array
  readonly #shift: number
  #text = 0

  /** @param bucketCount a power of two: each bucket has one weight, which the grams in it share */
  constructor(bucketCount: number) {
    this.#seen = new Int32Array(bucketCount)
    this.#shift = Math.clz32(bucketCount) + 1
  }

  /** Reads codes[start … end). Linear; at most 3 buckets for each code unit. */
  read(codes: Uint16Array, start: number, end: number): void {
    const most = 3 * (end - start)
    if (this.buckets.length < most) this.buckets = new Int32Array(2 * most)
    if (this.#text === textsMax) {
      this.#seen.fill(0)
      this.#text = 0
    }
    const text = ++this.#text
    const [seen, buckets, shift] = [this.#seen, this.buckets, this.#shift]
    let count = 0
    let first = 0
    let second = 0
    for (let at = start; at < end; at++) {
      const third = folded[codes[at] as number] as number
      const one = mixed(Math.imul(third + 1, unigramFactor)) >>> shift
      if (seen[one] !== text) {
        seen[one] = text
        buckets[count++] = one
      }
      const pair = Math.imul(second + 1, bigramFactor) ^ third
      const two = mixed(Math.imul(pair, bigramFactor)) >>> shift
      if (at > start && seen[two] !== text) {
        seen[two] = text
        buckets[count++] = two
      }
      const three = mixed(Math.imul(Math.imul(first + 1, trigramFactor) ^ pair, trigramFactor)) >>> shift
      if (at > start + 1 && seen[three] !== text) {
        seen[three] = text
        buckets[count++] = three
      }
      first = second
      second = third
    }
    this.count = count
  }
}

/** Adds up weights of the distinct buckets of one text at a time, without listing them; in the kernel. */
export class GramSum {
  /** Sum of the weights of the last text, and the number of its distinct buckets. */
  sum = 0
  count = 0
  readonly #memory: TextMemory
  readonly #weightsBase: number
  /** One byte for each bucket: the number of the text in which it was last seen. */
  readonly #seenBase: number
  /** Buckets of a tile. */
  readonly #listBase: number
  readonly #bucketCount: number
  readonly #shift: number
  #text = 0

  /** @param memory a text in it is not copied to be read */
  constructor(weights: Int16Array, memory: TextMemory) {
    this.#memory = memory
    this.#weightsBase = memory.allocate(weights.byteLength)
    this.#seenBase = memory.allocate(weights.length)
    this.#listBase = memory.allocate(tileBytes)
    this.#bucketCount = weights.length
    this.#shift = Math.clz32(weights.length) + 1
    new Int16Array(memory.buffer, this.#weightsBase, weights.length).set(weights)
  }

  /** Reads codes[start … end), as `GramBuckets` does. */
  read(codes: Uint16Array, start: number, end: number): void {
    const { kernel, buffer, others } = this.#memory
    let base = codes.byteOffset + 2 * start
    if (codes.buffer !== buffer) {
      others.reserve(end - start)
      others.view.set(codes.subarray(start, end))
      base = others.base
    }
    if (++this.#text > byteTextsMax) {
      new Uint8Array(this.#memory.buffer, this.#seenBase, this.#bucketCount).fill(0)
      this.#text = 1
    }
    const [weights, seen, list] = [this.#weightsBase, this.#seenBase, this.#listBase]
    this.count = kernel.gramSum(base, end - start, weights, seen, list, this.#text, this.#shift)
    this.sum = kernel.gramTotal.value
  }
}

/** Texts after which the numbers of texts start again; in the kernel, where a number is one byte. */
const textsMax = 0x7fffffff
const byteTextsMax = 0xff
/** Bytes of the buckets of 256 code units. */
const tileBytes = 256 * 3 * Int32Array.BYTES_PER_ELEMENT

/** Mixes a hash: its high bits, which choose the bucket, depend on all of it. */
function mixed(hash: number): number {
  return Math.imul(hash ^ (hash >>> 15), 0x9e3779b1)
}

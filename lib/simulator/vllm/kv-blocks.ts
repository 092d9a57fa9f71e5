/**
 * The KV cache of a simulated engine, as the block pool of vLLM: reference-counted blocks of 16 tokens. A free block can be
 * found by the hash of its content until it is reused, least recently used first.
 */
import { hashNumbers } from '../random.js'

export const blockTokens = 16

/** Hash of a full block and all before it: an integer below 2^52. */
export type BlockHash = number

export class KvBlocks {
  readonly #references: Int32Array
  readonly #hashes: Float64Array
  readonly #next: Int32Array
  readonly #previous: Int32Array
  readonly #byHash = new Map<BlockHash, number>()
  /** Entry of the ring of free blocks; its `next` is taken first. */
  readonly #root: number
  #freeCount: number

  constructor(readonly count: number) {
    this.#references = new Int32Array(count)
    this.#hashes = new Float64Array(count).fill(-1)
    this.#root = count
    this.#next = new Int32Array(count + 1)
    this.#previous = new Int32Array(count + 1)
    this.#freeCount = 0
    this.#next[this.#root] = this.#root
    this.#previous[this.#root] = this.#root
    for (let block = 0; block < count; block++) this.#append(block)
  }

  get free(): number {
    return this.#freeCount
  }

  /** Share of the blocks in use, 0 to 1. */
  get usage(): number {
    return 1 - this.#freeCount / this.count
  }

  /** Returns how many blocks from the first one are in the cache, and how many of them are unused. */
  cached(hashes: readonly BlockHash[], limit: number): { blocks: number; unused: number } {
    let blocks = 0
    let unused = 0
    while (blocks < Math.min(limit, hashes.length)) {
      const block = this.#byHash.get(hashes[blocks] as BlockHash)
      if (block === undefined) break
      if (this.#references[block] === 0) unused++
      blocks++
    }
    return { blocks, unused }
  }

  /** Adds a reference to the cached block of a hash that `cached` has found. */
  share(hash: BlockHash): number {
    const block = this.#byHash.get(hash) as number
    if (this.#references[block] === 0) this.#unlink(block)
    this.#references[block] = (this.#references[block] as number) + 1
    return block
  }

  /** Takes the least recently used free block and clears it. The caller has checked `free`. */
  take(): number {
    const block = this.#next[this.#root] as number
    this.#unlink(block)
    this.#forget(block)
    this.#references[block] = 1
    return block
  }

  /** Makes a full block findable by its hash. The first block of a hash keeps it. */
  name(block: number, hash: BlockHash): void {
    if (this.#hashes[block] !== -1 || this.#byHash.has(hash)) return
    this.#hashes[block] = hash
    this.#byHash.set(hash, block)
  }

  /** Releases blocks, the last first: the end of a sequence is the least likely to be reused. */
  release(blocks: readonly number[]): void {
    for (let place = blocks.length - 1; place >= 0; place--) {
      const block = blocks[place] as number
      const left = (this.#references[block] as number) - 1
      this.#references[block] = left
      if (left === 0) this.#append(block)
    }
  }

  #forget(block: number): void {
    const hash = this.#hashes[block] as number
    if (hash !== -1 && this.#byHash.get(hash) === block) this.#byHash.delete(hash)
    this.#hashes[block] = -1
  }

  #append(block: number): void {
    const last = this.#previous[this.#root] as number
    this.#next[last] = block
    this.#previous[block] = last
    this.#next[block] = this.#root
    this.#previous[this.#root] = block
    this.#freeCount++
  }

  #unlink(block: number): void {
    const before = this.#previous[block] as number
    const after = this.#next[block] as number
    this.#next[before] = after
    this.#previous[after] = before
    this.#freeCount--
  }
}

/** Returns one hash for every full block of a prompt, over its tokens and the previous hash. */
export function blockHashes(tokens: ArrayLike<number>, salt = 0): BlockHash[] {
  const hashes: BlockHash[] = []
  let chain = salt
  for (let start = 0; start + blockTokens <= tokens.length; start += blockTokens) {
    let high = (chain % 0x1_0000_0000) | 0
    let low = Math.floor(chain / 0x1_0000_0000) | 0
    for (let place = start; place < start + blockTokens; place++) {
      const token = tokens[place] as number
      high = Math.imul(high ^ token, 0x85ebca6b)
      high ^= high >>> 13
      low = Math.imul(low + token, 0xc2b2ae35)
      low ^= low >>> 16
    }
    chain = chainedHash(high, low)
    hashes.push(chain)
  }
  return hashes
}

/** Returns the hashes of `count` blocks for a key: for benches whose prompts have a length but no text. */
export function namedHashes(key: number, count: number): BlockHash[] {
  return Array.from({ length: count }, (_, place) => namedHash(key, place))
}

export function namedHash(key: number, place: number): BlockHash {
  return chainedHash(hashNumbers(key, place, 1), hashNumbers(key, place, 2))
}

function chainedHash(high: number, low: number): BlockHash {
  return (high & 0xf_ffff) * 0x1_0000_0000 + (low >>> 0)
}

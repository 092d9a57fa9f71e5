/**
 * Bloom filter in blocks of 1,024 bits that grows by generations. It reports a key that was never added at the stated
 * rate, and every key that was. Keys are pairs of 32-bit hashes.
 */

const blockBits = 1024
const blockWords = blockBits / 32
/** Capacity of a further generation as a share of all before it: growth adds a fifth of the memory instead of doubling it. */
const generationShare = 0.2
/** Bits per key in the first generation. Each further one has two more, so that the sum of the rates stays below twice the first. */
const firstBitsPerKey = 24
const moreBitsPerKey = 2
const bitsPerKeyMax = 36

interface Generation {
  readonly words: Uint32Array
  readonly blocks: number
  readonly probes: number
  readonly keysMax: number
}

export class BloomFilter {
  readonly #generations: Generation[] = []
  #keys = 0
  #total = 0

  /** @param keysExpected capacity of the first generation; each further one adds a fifth of the memory and one look-up */
  constructor(keysExpected: number) {
    this.#open(Math.max(1024, Math.ceil(keysExpected)))
  }

  get memoryBytes(): number {
    return this.#generations.reduce((sum, { words }) => sum + words.byteLength, 0)
  }

  has(first: number, second: number): boolean {
    for (const generation of this.#generations) if (contains(generation, first, second)) return true
    return false
  }

  add(first: number, second: number): void {
    let generation = this.#generations[this.#generations.length - 1] as Generation
    if (this.#keys === generation.keysMax) generation = this.#open(Math.ceil(this.#total * generationShare))
    this.#keys++
    this.#total++
    set(generation, first, second)
  }

  #open(keysMax: number): Generation {
    const bitsPerKey = Math.min(bitsPerKeyMax, firstBitsPerKey + moreBitsPerKey * this.#generations.length)
    const blocks = Math.ceil((keysMax * bitsPerKey) / blockBits)
    const generation = { words: new Uint32Array(blocks * blockWords), blocks, probes: probesFor(bitsPerKey), keysMax }
    this.#generations.push(generation)
    this.#keys = 0
    return generation
  }
}

/**
 * Returns the probability that a key which was never added is found, when the capacity is used up: the keys of a block are
 * Poisson distributed, and a block of j keys reports a hit with probability (1 − (1 − 1/B)^(kj))^k.
 * At 24 bits per key 2.7e-5, which is 4.6e-4 over the 17 keys of a document. Source: Putze, Sanders, Singler, "Cache-, Hash- and
 * Space-Efficient Bloom Filters", 2007, section 3.
 */
export function falsePositiveRate(bitsPerKey: number): number {
  const mean = blockBits / bitsPerKey
  const probes = probesFor(bitsPerKey)
  let share = Math.exp(-mean)
  let rate = 0
  for (let keys = 1; keys < mean * 4 + 40; keys++) {
    share *= mean / keys
    rate += share * (1 - (1 - 1 / blockBits) ** (probes * keys)) ** probes
  }
  return rate
}

/** 0.6 per bit, slightly below ln 2, because blocks that are fuller than average weigh more: 14 at 24 bits. */
function probesFor(bitsPerKey: number): number {
  return Math.round(bitsPerKey * 0.6)
}

function contains({ words, blocks, probes }: Generation, first: number, second: number): boolean {
  const base = Math.floor((first * blocks) / 4294967296) * blockWords
  let bits = 0
  for (let probe = 0; probe < probes; probe++) {
    bits = probe % 3 === 0 ? nextBits(first, second, probe) : bits >>> 10
    if (((words[base + ((bits >>> 5) & 31)] as number) & (1 << (bits & 31))) === 0) return false
  }
  return true
}

function set({ words, blocks, probes }: Generation, first: number, second: number): void {
  const base = Math.floor((first * blocks) / 4294967296) * blockWords
  let bits = 0
  for (let probe = 0; probe < probes; probe++) {
    bits = probe % 3 === 0 ? nextBits(first, second, probe) : bits >>> 10
    const at = base + ((bits >>> 5) & 31)
    words[at] = (words[at] as number) | (1 << (bits & 31))
  }
}

/** Three positions of 10 bits, hashed for each probe: double hashing in so small a block has too few patterns. */
function nextBits(first: number, second: number, probe: number): number {
  let hash = second ^ Math.imul(first, 0x9e3779b1) ^ Math.imul(probe + 1, 0xc2b2ae35)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}

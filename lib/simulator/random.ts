/**
 * Pseudo-random numbers from a seed: hashes of texts, a generator, log-normal lengths. Not for cryptography.
 */

/** 32-bit hash of a text and a seed (murmur's mixing over UTF-16 code units). */
export function hashText(text: string, seed = 0): number {
  let hash = seed | 0
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x5bd1e995)
    hash ^= hash >>> 15
  }
  return mix(hash ^ text.length)
}

/** 32-bit hash of a sequence of whole numbers; depends on their order. */
export function hashNumbers(...numbers: readonly number[]): number {
  let hash = 0x9e3779b1
  for (const number of numbers) hash = mix(Math.imul(hash, 31) + (number | 0) + Math.floor(number / 0x1_0000_0000))
  return hash
}

/** Maps a 32-bit hash to [0, 1). */
export function unit(hash: number): number {
  return (hash >>> 0) / 0x1_0000_0000
}

/** Returns a generator of numbers in [0, 1); consecutive seeds give unrelated sequences. */
export function generator(seed: number): () => number {
  return mulberry32(mix(seed))
}

/** Like `generator`, but does not hash the seed: mulberry32 (Tommy Ettinger, public domain). */
export function mulberry32(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let value = Math.imul(state ^ (state >>> 15), 1 | state)
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value
    return unit(value ^ (value >>> 14))
  }
}

/**
 * Returns a log-normal value with the given arithmetic mean: exp(N(ln mean − sigma²/2, sigma)), Box–Muller.
 *
 * @param first, second random numbers in [0, 1)
 */
export function logNormal(mean: number, sigma: number, first: number, second: number): number {
  const normal = Math.sqrt(-2 * Math.log(1 - first)) * Math.cos(2 * Math.PI * second)
  return Math.exp(Math.log(mean) - (sigma * sigma) / 2 + sigma * normal)
}

function mix(value: number): number {
  let hash = value | 0
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

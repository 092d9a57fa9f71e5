/** The arithmetic of MinHash bands and estimates. Pure. */

export interface Banding {
  readonly bands: number
  readonly rows: number
}

/** Probability that two documents of this Jaccard similarity share a band: 1 − (1 − sʳ)ᵇ. */
export function recall(similarity: number, { bands, rows }: Banding): number {
  return 1 - (1 - similarity ** rows) ** bands
}

/**
 * The most selective bands that still find `recallMin` of the pairs at the threshold: the most rows that do.
 *
 * At .8 with 128 minima: 21 × 6 finds .998 (7 rows would find .986); with recallMin .9: 16 × 8 finds .947.
 */
export function bandingFor(threshold: number, minima: number, recallMin: number): Banding {
  for (let rows = Math.min(16, minima); rows > 1; rows--) {
    const banding = { bands: Math.floor(minima / rows), rows }
    if (recall(threshold, banding) >= recallMin) return banding
  }
  return { bands: minima, rows: 1 }
}

/** Below `low` no duplicate, from `high` on one; in between the texts decide. */
export interface SettleBand {
  readonly low: number
  readonly high: number
}

/**
 * Where an estimate from `minima` minima could decide wrongly: its standard deviation at the threshold t is
 * σ = √(t(1 − t) / minima), and the band reaches from t − 3.4 σ to t + 2.83 σ (.68 to .90 at .8 with 128).
 * Wider below, because a pair missed is lost and a pair too many only costs a comparison.
 */
export function settleBand(threshold: number, minima: number): SettleBand {
  const deviation = Math.sqrt((threshold * (1 - threshold)) / minima)
  return { low: Math.max(0, threshold - 3.4 * deviation), high: threshold + 2.83 * deviation }
}

/** Equal bytes of two signatures → Jaccard, corrected for the one in 256 that is equal by chance. */
export function estimate(equal: number, minima: number): number {
  return Math.max(0, (equal / minima - 1 / 256) / (1 - 1 / 256))
}

/** 32 bits of `rows` bytes from `at` on, four at a time. */
export function bandHash(bytes: Uint8Array, at: number, rows: number): number {
  let hash = 0x9747b28c
  const end = at + rows
  let i = at
  for (; i + 4 <= end; i += 4) {
    const low = (bytes[i] as number) | ((bytes[i + 1] as number) << 8)
    const high = (bytes[i + 2] as number) | ((bytes[i + 3] as number) << 8)
    hash = absorb(hash, low | (high << 16))
  }
  let rest = 0
  for (; i < end; i++) rest = (rest << 8) | (bytes[i] as number)
  hash = absorb(hash, rest)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

function absorb(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ word, 0x85ebca6b)
  return mixed ^ (mixed >>> 15)
}

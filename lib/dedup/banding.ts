/** Arithmetic of MinHash bands and similarity estimates. */

export interface Banding {
  readonly bands: number
  readonly rows: number
}

/** Returns the probability that two documents of this Jaccard similarity share a band: 1 − (1 − sʳ)ᵇ. */
export function recall(similarity: number, { bands, rows }: Banding): number {
  return 1 - (1 - similarity ** rows) ** bands
}

/**
 * Returns the bands with the most rows, which are the most selective, that find `recallMin` of the pairs at the threshold.
 *
 * For threshold 0.8 and 128 bytes: 21 × 6 finds 0.998 (7 rows would find 0.986); with recallMin 0.9: 16 × 8 finds 0.947.
 */
export function bandingFor(threshold: number, signatureLength: number, recallMin: number): Banding {
  for (let rows = Math.min(16, signatureLength); rows > 1; rows--) {
    const banding = { bands: Math.floor(signatureLength / rows), rows }
    if (recall(threshold, banding) >= recallMin) return banding
  }
  return { bands: signatureLength, rows: 1 }
}

/** Estimates below `low` are not duplicates, those from `high` on are; for those in between the texts are compared. */
export interface SettleBand {
  readonly low: number
  readonly high: number
}

/**
 * Returns the range in which an estimate could decide wrongly: its standard deviation at the threshold t is
 * σ = √(t(1 − t) / signatureLength), and the range is t − 3.4 σ to t + 2.83 σ (0.68 to 0.90 at 0.8 with 128).
 * It is wider below, where an error misses a duplicate; above, an error only costs a comparison.
 */
export function settleBand(threshold: number, signatureLength: number): SettleBand {
  const deviation = Math.sqrt((threshold * (1 - threshold)) / signatureLength)
  return { low: Math.max(0, threshold - 3.4 * deviation), high: threshold + 2.83 * deviation }
}

/** Estimates the Jaccard similarity from the number of equal bytes, of which one in 256 is equal by chance. */
export function estimate(equal: number, signatureLength: number): number {
  return Math.max(0, (equal / signatureLength - 1 / 256) / (1 - 1 / 256))
}

/** Hashes bytes[at … at + rows) to 32 bits, four bytes at a time. */
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

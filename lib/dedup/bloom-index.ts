/**
 * Index for corpora whose exact index does not fit in memory: one Bloom filter over keys and bands. It can neither verify
 * a hit nor name the kept document, so it uses more rows per band and reports `near-duplicate-unverified`.
 */
import { type Banding, bandHash } from './banding.js'
import { BloomFilter } from './bloom.js'
import type { KeptRow } from './kept-frames.js'
import type { Duplicate } from './types.js'

interface BloomIndexOptions {
  readonly exact: boolean
  readonly near: boolean
  readonly banding: Banding
  readonly documentsExpected: number
}

const seen: Duplicate = { reason: 'near-duplicate-unverified', of: '', similarity: Number.NaN }

export class BloomIndex {
  readonly #filter: BloomFilter
  #count = 0

  readonly #options: BloomIndexOptions

  constructor(options: BloomIndexOptions) {
    this.#options = options
    const keys = (options.exact ? 1 : 0) + (options.near ? options.banding.bands : 0)
    this.#filter = new BloomFilter(options.documentsExpected * keys)
  }

  get count(): number {
    return this.#count
  }

  get memoryBytes(): number {
    return this.#filter.memoryBytes
  }

  find(row: KeptRow): Duplicate | null {
    const view = viewOf(row.key)
    if (this.#options.exact && this.#filter.has(view.getUint32(0, true), view.getUint32(4, true))) return seen
    if (!this.#options.near || !row.hasShingle) return null
    const { bands, rows } = this.#options.banding
    for (let band = 0; band < bands; band++) {
      const hash = bandHash(row.signature, band * rows, rows)
      if (this.#filter.has(hash, secondHash(row.signature, band, rows))) return seen
    }
    return null
  }

  keep(row: KeptRow): void {
    this.#count++
    const view = viewOf(row.key)
    if (this.#options.exact) this.#filter.add(view.getUint32(0, true), view.getUint32(4, true))
    if (!this.#options.near || !row.hasShingle) return
    const { bands, rows } = this.#options.banding
    for (let band = 0; band < bands; band++) {
      this.#filter.add(bandHash(row.signature, band * rows, rows), secondHash(row.signature, band, rows))
    }
  }
}

function viewOf(key: Uint8Array): DataView {
  return new DataView(key.buffer, key.byteOffset, key.byteLength)
}

/** Returns 32 more bits of the band, which depend on its number: all bands share one filter. */
function secondHash(bytes: Uint8Array, band: number, rows: number): number {
  let hash = Math.imul(band + 1, 0x9e3779b1)
  for (let i = band * rows; i < (band + 1) * rows; i++) hash = Math.imul(hash, 0x01000193) ^ (bytes[i] as number)
  return Math.imul(hash ^ (hash >>> 15), 0xc2b2ae35) >>> 0
}

/**
 * Incremental hash of the bytes read from a shard: XXH64 over chunks of 64 KiB, each seeded with the hash of the previous
 * one. Not secure against an attacker; it detects files that were edited, overwritten or damaged.
 */
import xxhash, { type XXHashAPI } from 'xxhash-wasm'
import { ContractError } from '../errors.js'

const gridBytes = 64 * 1024

/** JSON-safe; kept in the manifest. */
export interface ContentRead {
  /** Bytes as stored, from the first on. */
  readonly bytes: number
  /** Hash of the complete chunks: 16 hexadecimal digits. */
  readonly grid: string
  /** Hash of all bytes: `grid`, continued over the incomplete last chunk. */
  readonly hash: string
  /** File-system stamp at that time; null if it cannot prove that the file is unchanged. */
  readonly stamp: string | null
}

/** Loaded once in a process. */
let api: Promise<XXHashAPI> | null = null

export class ContentHash {
  readonly #xxhash: XXHashAPI
  readonly #pending = Buffer.allocUnsafe(gridBytes)
  #pendingBytes = 0
  #grid = 0n
  #bytes = 0
  #hash: string | null = null

  private constructor(xxhash: XXHashAPI) {
    this.#xxhash = xxhash
  }

  static async create(): Promise<ContentHash> {
    api ??= xxhash()
    return new ContentHash(await api)
  }

  /**
   * Resumes from an earlier state.
   *
   * Does not throw if the content has changed: see `matches`.
   *
   * @param read returns exactly the bytes of the given range
   */
  static async resume(
    from: ContentRead,
    read: (offset: number, lengthBytes: number) => Promise<Uint8Array>,
  ): Promise<ContentHash> {
    const hash = await ContentHash.create()
    const rest = from.bytes % gridBytes
    hash.#grid = BigInt(`0x${from.grid}`)
    hash.#bytes = from.bytes - rest
    if (rest > 0) hash.update(hash.#bytes, await read(hash.#bytes, rest))
    return hash
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Adds bytes of the shard at `offset`; those before `bytes` are ignored, as they are part of the hash. */
  update(offset: number, chunk: Uint8Array): void {
    const known = this.#bytes - offset
    if (known < 0) throw new ContractError(`bytes ${this.#bytes} to ${offset} of a shard were not hashed`)
    if (known >= chunk.byteLength) return
    let left = chunk.subarray(known)
    this.#bytes += left.byteLength
    this.#hash = null
    while (left.byteLength > 0) {
      const whole = this.#pendingBytes === 0 && left.byteLength >= gridBytes
      const part = left.subarray(0, gridBytes - this.#pendingBytes)
      left = left.subarray(part.byteLength)
      if (whole) {
        this.#grid = this.#xxhash.h64Raw(part, this.#grid)
        continue
      }
      this.#pending.set(part, this.#pendingBytes)
      this.#pendingBytes += part.byteLength
      if (this.#pendingBytes < gridBytes) continue
      this.#grid = this.#xxhash.h64Raw(this.#pending, this.#grid)
      this.#pendingBytes = 0
    }
  }

  read(stamp: string | null): ContentRead {
    this.#hash ??= hex(this.#xxhash.h64Raw(this.#pending.subarray(0, this.#pendingBytes), this.#grid))
    return { bytes: this.#bytes, grid: hex(this.#grid), hash: this.#hash, stamp }
  }

  matches(read: ContentRead): boolean {
    return this.#bytes === read.bytes && this.read(null).hash === read.hash
  }
}

function hex(value: bigint): string {
  return value.toString(16).padStart(16, '0')
}

/** Checks across rows: ids occur once, and documents of a shard are in the order in which they were read. */
import { createHash } from 'node:crypto'

/** A set of ids, 8 bytes each, that finds ids which may occur twice. */
export class IdSet {
  #keys = new BigUint64Array(1024)
  #count = 0

  add(id: string): void {
    if (this.#count === this.#keys.length) {
      const larger = new BigUint64Array(this.#keys.length * 2)
      larger.set(this.#keys)
      this.#keys = larger
    }
    this.#keys[this.#count++] = IdSet.key(id)
  }

  /** Returns 64 bits of an id: its first ones if it is a hash. */
  static key(id: string): bigint {
    if (/^[0-9a-f]{32}$/.test(id)) return BigInt(`0x${id.slice(0, 16)}`)
    return createHash('sha256').update(id).digest().readBigUInt64LE()
  }

  /** Returns the keys that occur more than once; different ids may share a key. */
  repeated(): Set<bigint> {
    const sorted = this.#keys.subarray(0, this.#count).slice().sort()
    const found = new Set<bigint>()
    for (let i = 1; i < sorted.length; i++) if (sorted[i] === sorted[i - 1]) found.add(sorted[i] as bigint)
    return found
  }
}

/** Checks that the offsets of the rows of each shard never decrease. */
export class OrderCheck {
  readonly #last = new Map<string, bigint>()

  /** Returns what is wrong with the row, or null. A row without an offset is in order. */
  next(shard: string, row: Readonly<Record<string, unknown>>): string | null {
    const { offset } = row
    if (typeof offset !== 'bigint') return null
    const last = this.#last.get(shard)
    this.#last.set(shard, offset)
    if (last === undefined || offset >= last) return null
    return `it is out of order: shard ${shard} goes back from offset ${last} to ${offset}`
  }
}

/**
 * Decoded size of a page of DELTA_BYTE_ARRAY: each value repeats the start of the previous one, so that a page of a few
 * bytes may give gigabytes. Format: parquet-format, Encodings.md, "Delta encoding" and "Delta Strings".
 */
import { ShardDamageError } from '../errors.js'

/** Largest number of values of a page. */
const valuesMax = 2 ** 31

/**
 * Returns the bytes that values repeat from their predecessors; suffixes, which are part of the page, are not counted.
 *
 * @param page decompressed, without levels
 * @throws {ShardDamageError} the lengths are not valid
 */
export function repeatedBytes(page: Uint8Array): number {
  const reader = new Reader(page)
  const blockValues = reader.varint()
  const miniblocks = reader.varint()
  const count = reader.varint()
  const perMiniblock = blockValues / miniblocks
  if (!(miniblocks > 0 && Number.isInteger(perMiniblock) && perMiniblock > 0 && count <= valuesMax)) throw invalid()
  let value = reader.zigzag()
  let sum = count > 0 ? Math.max(0, value) : 0
  for (let left = count - 1; left > 0; ) {
    const least = reader.zigzag()
    const widths = Array.from({ length: miniblocks }, () => reader.byte())
    for (let index = 0; index < miniblocks && left > 0; index++) {
      const width = widths[index] as number
      const end = reader.at + (perMiniblock * width) / 8
      let bit = reader.at * 8
      for (let each = 0; each < perMiniblock && left > 0; each++, left--, bit += width) {
        value += least + reader.bits(bit, width)
        sum += Math.max(0, value)
      }
      reader.at = end
    }
  }
  return sum
}

class Reader {
  at = 0

  constructor(readonly bytes: Uint8Array) {}

  byte(): number {
    const byte = this.bytes[this.at++]
    if (byte === undefined) throw invalid()
    return byte
  }

  varint(): number {
    let value = 0
    for (let factor = 1; factor <= 2 ** 35; factor *= 128) {
      const byte = this.byte()
      value += (byte & 127) * factor
      if (byte < 128) return value
    }
    throw invalid()
  }

  zigzag(): number {
    const value = this.varint()
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }

  /** Reads `width` bits, the least significant first. */
  bits(from: number, width: number): number {
    let value = 0
    let factor = 1
    for (let read = 0; read < width; ) {
      const bit = (from + read) % 8
      const take = Math.min(8 - bit, width - read)
      const byte = this.bytes[Math.floor((from + read) / 8)]
      if (byte === undefined) throw invalid()
      value += ((byte >> bit) & ((1 << take) - 1)) * factor
      factor *= 2 ** take
      read += take
    }
    return value
  }
}

function invalid(): ShardDamageError {
  return new ShardDamageError('shard-corrupt', 'the lengths of a page of DELTA_BYTE_ARRAY are not valid')
}

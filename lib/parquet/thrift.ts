/** Parses one struct of Thrift's compact protocol, the format of Parquet page headers. Strings and lists are skipped. */
import { ShardDamageError } from '../errors.js'

/** Largest nesting of structs. */
const depthMax = 8
/** Largest number of elements of a list. */
const elementsMax = 1_000_000

/** The fields of a struct, by id. */
export class ThriftFields {
  readonly #values = new Map<number, number | ThriftFields>()

  set(id: number, value: number | ThriftFields): void {
    this.#values.set(id, value)
  }

  /** Returns NaN if the field is missing or is not a number. */
  number(id: number): number {
    const value = this.#values.get(id)
    return typeof value === 'number' ? value : Number.NaN
  }

  struct(id: number): ThriftFields | undefined {
    const value = this.#values.get(id)
    return value instanceof ThriftFields ? value : undefined
  }
}

/** @throws {ShardDamageError} the bytes are not a struct */
export function readThrift(bytes: Uint8Array, start: number): { fields: ThriftFields; end: number } {
  const reader = new Reader(bytes, start)
  return { fields: reader.struct(0), end: reader.at }
}

class Reader {
  constructor(
    readonly bytes: Uint8Array,
    public at: number,
  ) {}

  struct(depth: number): ThriftFields {
    if (depth > depthMax) throw invalid()
    const fields = new ThriftFields()
    let id = 0
    for (let head = this.#byte(); head !== 0; head = this.#byte()) {
      id = head >> 4 === 0 ? this.#zigzag() : id + (head >> 4)
      const value = this.#value(head & 15, depth)
      if (value !== null) fields.set(id, value)
    }
    return fields
  }

  /** Returns null for a skipped value. */
  #value(type: number, depth: number): number | ThriftFields | null {
    if (type === 1 || type === 2) return type === 1 ? 1 : 0
    if (type === 3) return this.#byte()
    if (type >= 4 && type <= 6) return this.#zigzag()
    if (type === 7) return this.#skip(8)
    if (type === 8) return this.#skip(this.#varint())
    if (type === 9 || type === 10) return this.#list(depth)
    if (type === 12) return this.struct(depth + 1)
    throw invalid()
  }

  #list(depth: number): null {
    const head = this.#byte()
    const size = head >> 4 === 15 ? this.#varint() : head >> 4
    if (size > elementsMax) throw invalid()
    for (let index = 0; index < size; index++) {
      // In a list, a boolean takes one byte.
      if ((head & 15) <= 2) this.#byte()
      else this.#value(head & 15, depth + 1)
    }
    return null
  }

  #skip(count: number): null {
    if (!(this.at + count <= this.bytes.byteLength)) throw invalid()
    this.at += count
    return null
  }

  #byte(): number {
    const byte = this.bytes[this.at++]
    if (byte === undefined) throw invalid()
    return byte
  }

  #varint(): number {
    let value = 0
    for (let factor = 1; factor <= 2 ** 63; factor *= 128) {
      const byte = this.#byte()
      value += (byte & 127) * factor
      if (byte < 128) return value
    }
    throw invalid()
  }

  #zigzag(): number {
    const value = this.#varint()
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }
}

function invalid(): ShardDamageError {
  return new ShardDamageError('shard-corrupt', 'a page header is not valid')
}

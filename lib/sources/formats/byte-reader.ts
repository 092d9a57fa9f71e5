/** Reads ranges of known length from a stream, one after the other. */
import { ShardDamageError } from '../../errors.js'

export interface ByteReader {
  /** Offset of the next byte in the stream. */
  offset(): number
  /** The stream failed, or ended inside a range. */
  broken(): boolean
  /** Returns `lengthBytes` bytes; fewer at the end of the stream. */
  read(lengthBytes: number): Promise<Buffer>
  /** Yields `lengthBytes` bytes in chunks. @throws {ShardDamageError} the stream ends early */
  take(lengthBytes: number): AsyncGenerator<Uint8Array>
  /** @throws {ShardDamageError} the stream ends early */
  skip(lengthBytes: number): Promise<void>
  close(): Promise<void>
}

/** @param start offset of the stream's first byte */
export function byteReader(stream: AsyncIterable<Uint8Array>, start: number): ByteReader {
  const iterator = stream[Symbol.asyncIterator]()
  let chunk: Uint8Array = new Uint8Array(0)
  let offset = start
  let broken = false

  /** Returns up to `lengthBytes` bytes; none at the end. */
  async function some(lengthBytes: number): Promise<Uint8Array> {
    while (chunk.byteLength === 0) {
      try {
        const next = await iterator.next()
        if (next.done) return chunk
        chunk = next.value
      } catch (error) {
        broken = true
        throw error
      }
    }
    const part = chunk.subarray(0, lengthBytes)
    chunk = chunk.subarray(part.byteLength)
    offset += part.byteLength
    return part
  }

  async function read(lengthBytes: number): Promise<Buffer> {
    const parts: Uint8Array[] = []
    let left = lengthBytes
    while (left > 0) {
      const part = await some(left)
      if (part.byteLength === 0) break
      // An incomplete part is copied: the next chunk may reuse its memory.
      parts.push(part.byteLength < left ? new Uint8Array(part) : part)
      left -= part.byteLength
    }
    return Buffer.concat(parts)
  }

  async function* take(lengthBytes: number): AsyncGenerator<Uint8Array> {
    let left = lengthBytes
    while (left > 0) {
      const part = await some(left)
      if (part.byteLength === 0) {
        broken = true
        throw new ShardDamageError('shard-truncated', `the stream ends ${left} bytes before the end of a member`)
      }
      left -= part.byteLength
      yield part
    }
  }

  async function skip(lengthBytes: number): Promise<void> {
    for await (const _ of take(lengthBytes));
  }

  return {
    offset: () => offset,
    broken: () => broken,
    read,
    take,
    skip,
    close: async () => void (await iterator.return?.()),
  }
}

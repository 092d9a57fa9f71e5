/** Reads a stream as a whole, up to a limit: a body of the network is never held without one. */
import { Buffer } from 'node:buffer'
import type { Readable } from 'node:stream'

/** Returns a stream that no encoding was set for as what it yields then: bytes. */
export function bytesOf(stream: Readable): AsyncIterable<Buffer> {
  return stream
}

/**
 * Returns all bytes of a stream.
 *
 * @param bytesMax with more, the stream is destroyed and the error of `tooLarge` is thrown
 */
export async function readBytes(stream: Readable, bytesMax: number, tooLarge: () => Error): Promise<Buffer> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of bytesOf(stream)) {
    bytes += part.length
    if (bytes > bytesMax) throw tooLarge()
    parts.push(part)
  }
  return Buffer.concat(parts, bytes)
}

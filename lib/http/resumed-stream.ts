/** Reads a range of a remote file over as many connections as it takes: each continues where the last one broke. */

import { say } from '../language/say.js'
import { isConnectionFailure } from './connection-failure.js'

/** Consecutive connections without a byte before the stream fails. */
const emptyConnectionsMax = 8
/** Times that a Range may be ignored before the bytes before it are read and discarded. */
const ignoredRangesMax = 2

interface ResumedStreamOptions {
  /** Half-open range of the file. */
  readonly start: number
  readonly end: number
  readonly signal: AbortSignal
  /**
   * Requests the bytes from `at` to the end of the range.
   *
   * @param insist whether a response from byte 0 should be discarded, so that the range is requested again
   * @returns null if it was discarded
   */
  open(at: number, insist: boolean): Promise<OpenedBody | null>
  /** Waits after failure number `failures`. */
  backoff(failures: number): Promise<void>
  /** Returns the error for too many connections without a byte. */
  silent(at: number, connections: number, failure: unknown): Error
}

interface OpenedBody {
  readonly body: AsyncIterable<Uint8Array>
  /** Bytes to discard before the requested range. */
  readonly skipBytes: number
}

/** Yields exactly the bytes of the range. Errors other than those of a connection end the stream. */
export async function* resumedStream(options: ResumedStreamOptions): AsyncGenerator<Uint8Array> {
  const { start, end, signal, open, backoff, silent } = options
  let at = start
  let emptyConnections = 0
  let ignoredRanges = 0
  while (at < end) {
    const before = at
    let failure: unknown = null
    try {
      const opened = await open(at, ignoredRanges < ignoredRangesMax)
      if (opened === null) ignoredRanges++
      else
        for await (const chunk of chunksOf(opened, end - at)) {
          at += chunk.length
          yield chunk
        }
    } catch (error) {
      signal.throwIfAborted()
      if (!isConnectionFailure(error)) throw error
      failure = error
    }
    if (at === end) return
    emptyConnections = at > before ? 0 : emptyConnections + 1
    if (emptyConnections >= emptyConnectionsMax) throw silent(at, emptyConnections, failure)
    await backoff(emptyConnections + 1)
  }
}

async function* chunksOf({ body, skipBytes }: OpenedBody, bytesMax: number): AsyncGenerator<Uint8Array> {
  let skip = skipBytes
  let left = bytesMax
  for await (const chunk of body) {
    const wanted = chunk.subarray(Math.min(skip, chunk.length)).subarray(0, left)
    skip -= Math.min(skip, chunk.length)
    left -= wanted.length
    if (wanted.length > 0) yield wanted
    if (left === 0) return
  }
}

/**
 * Reads a range of a file whole.
 *
 * @param name of the file, for messages
 * @param open starts a stream from `offset` to `end`
 * @throws {RangeError} the range reaches beyond the file
 */
export async function readRange(
  name: string,
  sizeBytes: number,
  offset: number,
  lengthBytes: number,
  open: (end: number) => AsyncIterable<Uint8Array>,
): Promise<Uint8Array> {
  const end = offset + lengthBytes
  if (offset < 0 || end > sizeBytes) {
    throw new RangeError(say`${name} has ${sizeBytes} bytes: cannot read ${offset} to ${end}`)
  }
  const bytes = new Uint8Array(lengthBytes)
  let at = 0
  for await (const chunk of open(end)) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}

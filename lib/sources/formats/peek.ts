/** Reads the start of a stream and returns a stream that still contains it. */
import { ShardDamageError } from '../../errors.js'

interface Peeked {
  /** The first `lengthBytes` bytes; fewer if the stream is shorter or failed. */
  readonly head: Buffer
  /** The whole stream; ends or fails as the original does. */
  readonly stream: AsyncIterable<Uint8Array>
  /** Closes a stream that will not be read. */
  close(): Promise<void>
}

/** @throws the error of the stream, unless it is damage */
export async function peek(source: AsyncIterable<Uint8Array>, lengthBytes: number): Promise<Peeked> {
  const iterator = source[Symbol.asyncIterator]()
  const chunks: Uint8Array[] = []
  let peekedBytes = 0
  let ended = false
  let failure: { readonly error: unknown } | null = null
  while (peekedBytes < lengthBytes && !ended && failure === null) {
    try {
      const next = await iterator.next()
      if (next.done) ended = true
      else {
        // A copy: the chunk is valid only until the next one is requested.
        chunks.push(new Uint8Array(next.value))
        peekedBytes += next.value.byteLength
      }
    } catch (error) {
      // Damage is thrown when the stream is read up to it; any other failure, such as a missing shard, is thrown here.
      if (!(error instanceof ShardDamageError) || error.reason === 'shard-missing') throw error
      failure = { error }
    }
  }

  async function* replay(): AsyncGenerator<Uint8Array> {
    try {
      yield* chunks
      if (failure !== null) throw failure.error
      while (!ended) {
        const next = await iterator.next()
        if (next.done) return
        yield next.value
      }
    } finally {
      await close()
    }
  }

  async function close(): Promise<void> {
    await iterator.return?.()
  }

  return { head: Buffer.concat(chunks, Math.min(peekedBytes, lengthBytes)), stream: replay(), close }
}

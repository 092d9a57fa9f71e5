/** Looks at the start of a stream without taking it away. */
import { ShardDamageError } from '../../errors.js'

export interface Peeked {
  /** The first `lengthBytes` bytes; fewer when the stream is shorter or broke off. */
  readonly head: Buffer
  /** The stream from its first byte. Ends or breaks off as the stream looked into does. */
  readonly stream: AsyncIterable<Uint8Array>
  /** Lets go of a stream that is not going to be read. */
  close(): Promise<void>
}

/** @throws whatever the stream throws at its start, unless that is damage */
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
        // A copy: the chunk itself is gone once the next is asked for.
        chunks.push(new Uint8Array(next.value))
        peekedBytes += next.value.byteLength
      }
    } catch (error) {
      // A shard that cannot be reached is not an empty one: what is damaged breaks off in its place, all else throws here.
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

  return { head: Buffer.concat(chunks).subarray(0, lengthBytes), stream: replay(), close }
}

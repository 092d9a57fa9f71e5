/** Interface of the decoders of compressed streams, and the limit that each of them keeps. */
import type { ShardDamageError } from '../../errors.js'

/** Output of one slice that is held: over 1,024 times a slice, what gzip reaches at most; zstd could give gigabytes. */
export const sliceOutputBytesMax = 80 * 1024 * 1024
export const tooMuch = `64 KiB of it give over ${sliceOutputBytesMax} bytes: this is no text`

export interface Decoded {
  readonly output: readonly Uint8Array[]
  /** What came out before it is in `output`. */
  readonly damage: ShardDamageError | null
}

export interface Decoder {
  decode(slice: Uint8Array): Promise<Decoded>
  /** @param checksum of a zstd frame: the bytes that end it */
  end(checksum?: Uint8Array | null): Promise<Decoded>
  close(): void
}

/** Interface of the decoders of compressed streams, and their common limit. */
import type { ShardDamageError } from '../../errors.js'

/** Largest output of one slice of input: more than 1,024 times the slice, the maximum of gzip. zstd could give gigabytes. */
export const sliceOutputBytesMax = 80 * 1024 * 1024
export const tooMuch = `64 KiB of it give over ${sliceOutputBytesMax} bytes: this is no text`

export interface DecodedSlice {
  readonly output: readonly Uint8Array[]
  /** `output` holds the bytes before it. */
  readonly damage: ShardDamageError | null
}

export interface Decoder {
  decode(slice: Uint8Array): Promise<DecodedSlice>
  /** @param checksum the last bytes of a zstd frame */
  end(checksum?: Uint8Array | null): Promise<DecodedSlice>
  close(): void
}

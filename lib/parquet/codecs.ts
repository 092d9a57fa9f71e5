/** Decompressors for pages of Parquet. Output is limited to the size in the page header: a page may be a bomb. */
import * as zlib from 'node:zlib'
import { Decompress, decompress } from 'fzstd'
import { compressors } from 'hyparquet-compressors'

type Decompressor = (input: Uint8Array, outputBytes: number) => Uint8Array

/** Missing from the types of Node 20. */
const { zstdDecompressSync } = zlib as { zstdDecompressSync?: (input: Uint8Array, options: object) => Uint8Array }

/** zlib requires a limit of at least 1. */
const limit = (outputBytes: number) => ({ maxOutputLength: Math.max(1, outputBytes) })

const zstd: Decompressor = zstdDecompressSync
  ? (input, outputBytes) => zstdDecompressSync(input, limit(outputBytes))
  : (input, outputBytes) =>
      contentSize(input) === outputBytes ? decompress(input) : decompressUpTo(input, outputBytes)

/** Decompressor of each codec: that of zlib where it has one, which is several times as fast. */
export const pageCodecs = {
  ...compressors,
  GZIP: checked((input, outputBytes) => zlib.gunzipSync(input, limit(outputBytes))),
  BROTLI: checked((input, outputBytes) => zlib.brotliDecompressSync(input, limit(outputBytes))),
  ZSTD: checked(zstd),
}

/** Replaces the error of a decompressor by one text: rejects contain it, and must not depend on the version of Node. */
function checked(decompressor: Decompressor): Decompressor {
  return (input, outputBytes) => {
    try {
      return decompressor(input, outputBytes)
    } catch (cause) {
      throw new Error(`a page does not decompress to the ${outputBytes} bytes of its header`, { cause })
    }
  }
}

/** Returns the content size in the header of a zstd frame; null if it has none (RFC 8878, section 3.1.1.1). */
function contentSize(frame: Uint8Array): number | null {
  const view = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength)
  const descriptor = view[4] ?? 0
  const single = (descriptor & 32) !== 0
  const at = 5 + (single ? 0 : 1) + ([0, 1, 2, 4][descriptor & 3] as number)
  const bytes = [single ? 1 : 0, 2, 4, 8][descriptor >> 6] as number
  if (bytes === 0 || at + bytes > view.byteLength) return null
  if (bytes === 8) return Number(view.readBigUInt64LE(at))
  return view.readUIntLE(at, bytes) + (bytes === 2 ? 256 : 0)
}

/** Decompresses block by block: for frames without a size, or with another size than the page. */
function decompressUpTo(input: Uint8Array, outputBytes: number): Uint8Array {
  const size = contentSize(input)
  if (size !== null && size > outputBytes) throw new Error(`a page of ${outputBytes} bytes holds a frame of ${size}`)
  const blocks: Uint8Array[] = []
  let bytes = 0
  const decoder = new Decompress((block) => {
    bytes += block.byteLength
    if (bytes > outputBytes) throw new Error(`a page of ${outputBytes} bytes decompresses to more`)
    blocks.push(block)
  })
  decoder.push(input, true)
  return Buffer.concat(blocks)
}

/**
 * Finds the start and end of the frames of a zstd stream from their headers. Needed because Node's decoder stops silently
 * after the first frame, because a header may ask for a window of gigabytes, and because not every decoder checks the
 * checksum. Format: RFC 8878, sections 3.1.1 (frames, blocks) and 3.1.2 (skippable frames).
 */
import { ShardDamageError } from '../../errors.js'

interface Segment {
  /** Bytes of one frame, without the checksum; may be empty. */
  readonly bytes: Uint8Array
  /** The frame ends with these bytes. */
  readonly last: boolean
  /** Part of a skippable frame, which has no content. */
  readonly skippable: boolean
  /** The checksum of the content, if the frame ends here and has one. */
  readonly checksum: Uint8Array | null
}

interface FrameWalker {
  /** Divides a slice into segments of one frame each, up to `damage`. */
  walk(slice: Uint8Array): { readonly segments: Segment[]; readonly damage: ShardDamageError | null }
  /** Whether the position is between two frames, where a stream may end. */
  between(): boolean
}

type Part = 'magic' | 'skippable-size' | 'descriptor' | 'header' | 'block-header' | 'block' | 'checksum' | 'end'

/** At most 4 bytes of dictionary id, 8 of content size and 1 of window. */
const headBytesMax = 16

const checksumBytes = 4

/** @param windowBytesMax largest window of a frame, which its decoder holds in memory */
export function frameWalker(windowBytesMax: number): FrameWalker {
  const head = Buffer.alloc(headBytesMax)
  let part: Part = 'magic'
  let have = 0
  let want = 4
  /** Bytes to skip before the next part. */
  let skip = 0
  let skippable = false
  let descriptor = 0
  let lastBlock = false

  function walk(slice: Uint8Array): { segments: Segment[]; damage: ShardDamageError | null } {
    const segments: Segment[] = []
    let start = 0
    let at = 0
    while (at < slice.byteLength) {
      if (skip > 0) {
        const passed = Math.min(skip, slice.byteLength - at)
        skip -= passed
        at += passed
      } else {
        head[have++] = slice[at++] as number
        if (have < want) continue
        have = 0
        const wrong = read()
        if (wrong !== null) return { segments, damage: wrong }
      }
      if (skip === 0 && advance()) {
        segments.push(segment(slice.subarray(start, at), true))
        expect('magic', 4)
        start = at
      }
    }
    if (start < at) segments.push(segment(slice.subarray(start, at), false))
    return { segments, damage: null }
  }

  /** Removes the bytes of the checksum, which may have begun in an earlier slice. */
  function segment(bytes: Uint8Array, last: boolean): Segment {
    const checksum = last && hasChecksum() ? Buffer.from(head.subarray(0, checksumBytes)) : null
    const offBytes = Math.min(bytes.byteLength, checksum?.byteLength ?? (part === 'checksum' ? have : 0))
    return { bytes: bytes.subarray(0, bytes.byteLength - offBytes), last, skippable, checksum }
  }

  /** Processes a complete part; returns the damage, if any. */
  function read(): ShardDamageError | null {
    if (part === 'magic') {
      const magic = head.readUInt32LE(0)
      skippable = (magic & 0xfffffff0) >>> 0 === 0x184d2a50
      if (!skippable && magic !== 0xfd2fb528) return corrupt('bytes that begin no frame')
      expect(skippable ? 'skippable-size' : 'descriptor', skippable ? 4 : 1)
    } else if (part === 'skippable-size') {
      skip = head.readUInt32LE(0)
      part = 'end'
    } else if (part === 'descriptor') {
      descriptor = head[0] as number
      expect('header', windowBytes() + dictionaryBytes() + sizeBytes())
      if (want === 0) return corrupt('a frame header without a size')
    } else if (part === 'header') {
      const refused = refusal()
      if (refused !== null) return new ShardDamageError('shard-unsupported', `zstd: ${refused}`)
      expect('block-header', 3)
    } else if (part === 'checksum') {
      part = 'end'
    } else {
      const block = head.readUIntLE(0, 3)
      lastBlock = (block & 1) === 1
      const type = (block >> 1) & 3
      if (type === 3) return corrupt('a block of reserved type')
      skip = type === 1 ? 1 : block >> 3
      part = 'block'
    }
    return null
  }

  /** Moves to the part after a complete one; returns true if the frame has ended. */
  function advance(): boolean {
    if (part === 'block') {
      if (!lastBlock) expect('block-header', 3)
      else if (hasChecksum()) expect('checksum', checksumBytes)
      else part = 'end'
    }
    return part === 'end'
  }

  function expect(next: Part, bytes: number): void {
    part = next
    want = bytes
  }

  const hasChecksum = (): boolean => !skippable && (descriptor & 4) !== 0
  const single = (): boolean => (descriptor & 32) !== 0
  const windowBytes = (): number => (single() ? 0 : 1)
  const dictionaryBytes = (): number => [0, 1, 2, 4][descriptor & 3] as number
  const sizeBytes = (): number => [single() ? 1 : 0, 2, 4, 8][descriptor >> 6] as number

  /** Returns why a frame with this header is not decoded; null if it is. */
  function refusal(): string | null {
    const id = dictionaryId()
    if (id !== 0)
      return `the frame needs dictionary ${id}, which is not part of it; decompress it with zstd -d -D DICTIONARY`
    const window = windowSize()
    if (window <= windowBytesMax) return null
    return `the frame needs a window of ${window} bytes, read.zstdWindowBytesMax is ${windowBytesMax}; raise it or decompress the shard`
  }

  function dictionaryId(): number {
    const bytes = dictionaryBytes()
    return bytes === 0 ? 0 : head.readUIntLE(windowBytes(), bytes)
  }

  function windowSize(): number {
    if (!single()) {
      const byte = head[0] as number
      const base = 2 ** (10 + (byte >> 3))
      return base + (base / 8) * (byte & 7)
    }
    const at = dictionaryBytes()
    const bytes = sizeBytes()
    if (bytes === 8) return Number(head.readBigUInt64LE(at))
    return head.readUIntLE(at, bytes) + (bytes === 2 ? 256 : 0)
  }

  return { walk, between: () => part === 'magic' && have === 0 && skip === 0 }
}

function corrupt(what: string): ShardDamageError {
  return new ShardDamageError('shard-corrupt', `zstd: ${what}`)
}

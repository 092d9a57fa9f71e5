/** Rejects made while scanning: records over the limit, or lost in a truncated or corrupt shard. */
import { excerptCharsMax, type RejectedRecord } from '../../text/block.js'
import type { Damage } from './raw-block.js'

/** A UTF-8 character takes at most 4 bytes. */
const excerptBytesMax = excerptCharsMax * 4

/** Returns the bytes to keep of a record for its excerpt. */
export function excerptBytes(bytes: Uint8Array): Uint8Array {
  return Uint8Array.prototype.slice.call(bytes, 0, excerptBytesMax)
}

export function recordTooLarge(
  offset: number,
  recordBytes: number,
  bytesMax: number,
  start: Uint8Array,
): RejectedRecord {
  return {
    offset,
    reason: 'record-too-large',
    detail: `${recordBytes} bytes, recordBytesMax is ${bytesMax}`,
    excerpt: excerpt(start),
  }
}

export function damagedRecord(offset: number, damage: Damage, start: Uint8Array): RejectedRecord {
  return { offset, reason: damage.reason, detail: damage.detail, excerpt: excerpt(start) }
}

/** Returns at most `excerptCharsMax` characters; a character cut at the end is omitted, not replaced. */
export function excerpt(bytes: Uint8Array): string {
  const text = new TextDecoder('utf-8', { ignoreBOM: false }).decode(bytes.subarray(0, excerptBytesMax), {
    stream: true,
  })
  return Array.from(text).slice(0, excerptCharsMax).join('')
}

/** Detects Arrow IPC by its first bytes; apart from arrow.ts, whose package is loaded for such shards only. */

/** Arrow columnar format, "IPC File Format". */
const fileMagic = Buffer.from('ARROW1')
/** Every message of a stream begins with this marker. */
const streamMarker = 0xffffffff

/** Returns whether bytes begin an Arrow IPC file. */
export function isArrowFile(head: Buffer): boolean {
  return head.subarray(0, fileMagic.length).equals(fileMagic)
}

/** Returns whether bytes begin an Arrow IPC file or stream. */
export function isArrow(head: Buffer): boolean {
  if (isArrowFile(head)) return true
  // The marker, then the length of the schema message: less than a megabyte, so that other bytes are not taken for it.
  return head.byteLength >= 8 && head.readUInt32LE(0) === streamMarker && head.readUInt32LE(4) - 1 < 2 ** 20
}

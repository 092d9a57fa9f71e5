/** Strings from UTF-16 code units, and code units of strings. */
import { Buffer } from 'node:buffer'

/** Returns codes[start … end) as a string. */
export function codesToString(codes: Uint16Array, start: number, end: number): string {
  if (codes !== lastCodes) {
    lastCodes = codes
    lastBytes = Buffer.from(codes.buffer, codes.byteOffset, codes.byteLength)
  }
  return lastBytes.toString('utf16le', 2 * start, 2 * end)
}

/** The bytes of the array that was read last: most strings are of one view of the text memory. */
let lastCodes: Uint16Array = new Uint16Array(0)
let lastBytes: Buffer = Buffer.alloc(0)

/** Returns the code units of a string. */
export function codesOf(text: string): Uint16Array {
  const codes = new Uint16Array(text.length)
  for (let at = 0; at < text.length; at++) codes[at] = text.charCodeAt(at)
  return codes
}

/** Strings from UTF-16 code units, and code units of strings. */
import { Buffer } from 'node:buffer'

/** Returns codes[start … end) as a string. */
export function codesToString(codes: Uint16Array, start: number, end: number): string {
  return Buffer.from(codes.buffer, codes.byteOffset, codes.byteLength).toString('utf16le', 2 * start, 2 * end)
}

/** Returns the code units of a string. */
export function codesOf(text: string): Uint16Array {
  const codes = new Uint16Array(text.length)
  for (let at = 0; at < text.length; at++) codes[at] = text.charCodeAt(at)
  return codes
}

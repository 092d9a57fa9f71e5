/** The form in which texts are compared: one pass over the code units, with a table of those that are kept. */
import { Buffer } from 'node:buffer'

/** Returns the form in which variants are compared: without differences of width, case, blanks and punctuation. */
export function comparisonForm(instruction: string): string {
  const folded = instruction.normalize('NFKC').toLowerCase()
  const { length } = folded
  if (codes.length < length) codes = new Uint16Array(2 * length)
  let kept = 0
  for (let at = 0; at < length; at++) {
    const code = folded.charCodeAt(at)
    // The letters outside the Basic Multilingual Plane are rare in instructions and texts.
    if (code >= 0xd800 && code <= 0xdfff) return folded.replace(others, '')
    if ((kinds[code] || kindOf(code)) === letter) codes[kept++] = code
  }
  return Buffer.from(codes.buffer, 0, 2 * kept).toString('utf16le')
}

const others = /[^\p{L}\p{N}]/gu

/** Code units of the last form; grows to the longest text. */
let codes = new Uint16Array(4096)

/** Whether a code unit is kept, as far as it has occurred: 0 while unknown. */
const kinds = new Uint8Array(65_536)
const letter = 1
const other = 2

function kindOf(code: number): number {
  const kind = /[\p{L}\p{N}]/u.test(String.fromCharCode(code)) ? letter : other
  kinds[code] = kind
  return kind
}

/** Well-formed UTF-16: every surrogate belongs to a pair. */

import { isLowSurrogate } from './characters.js'

const replacement = 0xfffd

/** Replaces lone surrogates with U+FFFD in place. Returns the length of the text in UTF-8. */
export function makeWellFormed(codes: Uint16Array): number {
  let bytes = 0
  for (let at = 0; at < codes.length; at++) {
    const code = codes[at] as number
    if (code < 0x80) bytes++
    else if (code < 0x800) bytes += 2
    else if (code < 0xd800 || code > 0xdfff) bytes += 3
    else if (code < 0xdc00 && isLowSurrogate(codes[at + 1] ?? 0)) {
      bytes += 4
      at++
    } else {
      codes[at] = replacement
      bytes += 3
    }
  }
  return bytes
}

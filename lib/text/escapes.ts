/** Finds escapes that were left in a text: of JavaScript, HTML and URLs. */
import type { CleanText } from './clean.js'

/** Returns the code units in \uXXXX, \xXX, &#20013;, &#x4e2d;, &nbsp; and %E4. */
export function escapedChars({ codes, length }: CleanText): number {
  let chars = 0
  for (let at = 0; at < length; at++) {
    const code = codes[at]
    if (code !== percentSign && code !== ampersand && code !== backslash) continue
    const end = escapeEnd(codes, at, length)
    if (end === at) continue
    chars += end - at
    at = end - 1
  }
  return chars
}

function escapeEnd(codes: Uint16Array, at: number, length: number): number {
  const code = codes[at]
  if (code === percentSign)
    return codes[at + 1] !== undefined && hexEnd(codes, at + 1, 2, length) === at + 3 ? at + 3 : at
  if (code === ampersand) return entityEnd(codes, at, length)
  if (code !== backslash) return at
  const digits = codes[at + 1] === 0x75 ? 4 : codes[at + 1] === 0x78 ? 2 : 0
  return digits > 0 && hexEnd(codes, at + 2, digits, length) === at + 2 + digits ? at + 2 + digits : at
}

/** End of a named or numeric entity with its semicolon. */
function entityEnd(codes: Uint16Array, at: number, length: number): number {
  let end = at + 1
  if (codes[end] === 0x23) end++
  const limit = Math.min(length, at + entityCharsMax)
  while (end < limit && isAlphanumeric(codes[end] as number)) end++
  return end > at + 2 && end < length && codes[end] === 0x3b ? end + 1 : at
}

const entityCharsMax = 10

function hexEnd(codes: Uint16Array, at: number, digits: number, length: number): number {
  let end = at
  while (end < Math.min(length, at + digits) && isHex(codes[end] as number)) end++
  return end
}

function isHex(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || (code >= 0x41 && code <= 0x46) || (code >= 0x61 && code <= 0x66)
}

function isAlphanumeric(code: number): boolean {
  return isHex(code) || (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a)
}

const percentSign = 0x25
const ampersand = 0x26
const backslash = 0x5c

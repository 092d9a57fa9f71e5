/** Counts the telephone numbers, e-mail addresses and QQ or WeChat ids of a text. */
import { CharacterClass } from './characters.js'
import type { CleanText } from './clean.js'

/** Fewest and most digits of a number to call: 7 of a landline, 13 with the country code. */
const digitsMin = 7
const digitsMax = 13
/** Fewest digits of the two parts of a number written 0755-12345678 or 400-800-1234. */
const areaDigitsMin = 3

/**
 * Returns the number of telephone numbers and e-mail addresses: runs of 7 to 13 digits or asterisks, in which hyphens and
 * single blanks may divide groups of at least 3.
 */
export function contactNumbers(text: CleanText): number {
  if (text.counts[CharacterClass.digit] < digitsMin && !hasAt(text)) return 0
  const { codes, length } = text
  let found = 0
  for (let at = 0; at < length; at++) {
    const code = codes[at] as number
    if (code === 0x40 && isAddress(codes, at, length)) found++
    if (!isDigit(code)) continue
    const end = numberEnd(codes, at, length)
    if (end > at && isTelephone(codes, at, end)) found++
    at = Math.max(at, end - 1)
  }
  return found
}

function hasAt({ codes, length, counts }: CleanText): boolean {
  return counts[CharacterClass.asciiPunctuation] > 0 && codes.subarray(0, length).includes(0x40)
}

/** End of digits, asterisks and hyphens between digits. */
function numberEnd(codes: Uint16Array, at: number, length: number): number {
  let end = at + 1
  while (end < length) {
    const code = codes[end] as number
    const joins = code === 0x2d && end + 1 < length && isDigit(codes[end + 1] as number)
    if (!isDigit(code) && code !== 0x2a && !joins) break
    end++
  }
  return end
}

/** A mobile number (1 and 10 more digits), one with area code or 400, or a landline of 7 or 8 after no other digit. */
function isTelephone(codes: Uint16Array, at: number, end: number): boolean {
  let digits = 0
  let hyphens = 0
  let group = 0
  let shortGroup = false
  for (let index = at; index < end; index++) {
    if (codes[index] === 0x2d) {
      hyphens++
      shortGroup ||= group < areaDigitsMin
      group = 0
    } else {
      digits++
      group++
    }
  }
  if (digits < digitsMin || digits > digitsMax || shortGroup || (hyphens > 0 && group < areaDigitsMin)) return false
  const [first, second] = [codes[at], codes[at + 1]]
  if (digits === 11 && first === 0x31 && second !== undefined && second >= 0x33) return true
  if (first === 0x30 && digits >= 10 && digits <= 12) return true
  if (first === 0x34 && second === 0x30 && digits === 10) return true
  return hyphens > 0 && hyphens <= 2 && digits >= 10 && digits <= 12
}

/** Letters or digits before and after the @. */
function isAddress(codes: Uint16Array, at: number, length: number): boolean {
  return at > 0 && at + 1 < length && isWord(codes[at - 1] as number) && isWord(codes[at + 1] as number)
}

function isWord(code: number): boolean {
  return isDigit(code) || (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a)
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

/** Filters on the length of a text, in code units after cleaning, including blanks. */
import type { CleanText } from '../clean.js'

/** Rejects texts that are too short for an instruction. */
export function tooShort(text: CleanText, charsMin: number): string | null {
  return text.length < charsMin ? `${text.length} characters of at least ${charsMin}` : null
}

/** Rejects books and dumps; disabled by default. */
export function tooLong(text: CleanText, charsMax: number): string | null {
  return text.length > charsMax ? `${text.length} characters of at most ${charsMax}` : null
}

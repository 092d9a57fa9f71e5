/** Filters on how long a text is. Lengths are code units after cleaning, blanks included. */
import type { CleanText } from '../clean.js'

/** Under `charsMin` there is nothing to ask a question about. */
export function tooShort(text: CleanText, charsMin: number): string | null {
  return text.length < charsMin ? `${text.length} characters of at least ${charsMin}` : null
}

/** Over `charsMax` a text is a book or a dump; off unless asked for. */
export function tooLong(text: CleanText, charsMax: number): string | null {
  return text.length > charsMax ? `${text.length} characters of at most ${charsMax}` : null
}

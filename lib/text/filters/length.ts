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

/** Rejects the beginning of a text whose rest is behind a link that was cut, if it breaks off within a sentence. */
export function teaser({ teasers, codes, length }: CleanText, charsMin: number): string | null {
  if (teasers === 0 || length >= charsMin || sentenceEnds.has(codes[length - 1] as number)) return null
  return `breaks off after ${length} characters at a link to the rest, which needs ${charsMin}`
}

const sentenceEnds = new Set([...'。！？!?.”』」）)'].map((character) => character.charCodeAt(0)))

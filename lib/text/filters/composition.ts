/**
 * Filters on the characters of a text. Shares are of the code units that are neither blanks nor line ends, without code,
 * mathematics and links (../asides.ts).
 */
import { CharacterClass } from '../characters.js'
import type { CleanText } from '../clean.js'

/**
 * Requires a share of Han characters among all that are not punctuation. Code, mathematics and links count an eighth, so
 * that a few words on a page of code pass for Chinese text, and none do not.
 */
export function chineseShare(text: CleanText, shareMin: number): string | null {
  const { proseCounts } = text
  let others = 0
  for (const kind of counted) others += proseCounts[kind] as number
  let punctuation = 0
  for (const kind of marks) punctuation += proseCounts[kind] as number
  const han = visible(text) - others - punctuation
  const aside = (text.length - text.proseLength) / asideWeight
  const share = han <= 0 ? 0 : han / (han + others + aside)
  return share < shareMin ? `${percent(share)} Chinese of at least ${percent(shareMin)}` : null
}

const asideWeight = 8

/** Limits symbols and ASCII punctuation: box drawing, arrows, emoji. */
export function symbolShare(text: CleanText, shareMax: number): string | null {
  const { proseCounts } = text
  const symbols =
    (proseCounts[CharacterClass.symbol] as number) + (proseCounts[CharacterClass.asciiPunctuation] as number)
  return over(symbols, visible(text), shareMax, 'symbols')
}

/** Limits digits: tables, price lists, telephone books. Digits of dates in words (1911年10月10日) do not count. */
export function digitShare(text: CleanText, shareMax: number): string | null {
  const digits = text.proseCounts[CharacterClass.digit] as number
  const all = visible(text)
  if (digits <= shareMax * all) return null
  return over(digits - dateDigits(text), all, shareMax, 'digits')
}

/** Digits in runs of 1 to 4 before 年, 月 or 日, with or without a blank. */
function dateDigits({ codes, length }: CleanText): number {
  let digits = 0
  let run = 0
  for (let at = 0; at < length; at++) {
    const code = codes[at] as number
    if (code >= 0x30 && code <= 0x39) {
      run++
      continue
    }
    if (code === 0x20 && run > 0) continue
    if (run <= 4 && (code === 0x5e74 || code === 0x6708 || code === 0x65e5)) digits += run
    run = 0
  }
  return digits
}

/** Compares `found`, as a share of `all`, with its limit. */
export function over(found: number, all: number, shareMax: number, what: string): string | null {
  const share = all === 0 ? 0 : found / all
  return share > shareMax ? `${percent(share)} ${what} of at most ${percent(shareMax)}` : null
}

/** Code units that are neither blanks nor line ends, without asides. */
function visible(text: CleanText): number {
  return visibleOf(text.proseLength, text.proseCounts)
}

/** The same with asides. */
export function visibleWithAsides(text: CleanText): number {
  return visibleOf(text.length, text.counts)
}

function visibleOf(length: number, counts: Int32Array): number {
  return length - (counts[CharacterClass.blank] as number) - (counts[CharacterClass.newline] as number)
}

export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`
}

const counted = [
  CharacterClass.latin,
  CharacterClass.letterW,
  CharacterClass.digit,
  CharacterClass.otherLetter,
  CharacterClass.symbol,
]
const marks = [
  CharacterClass.asciiPunctuation,
  CharacterClass.widePunctuation,
  CharacterClass.sentenceEnd,
  CharacterClass.closer,
  CharacterClass.colon,
  CharacterClass.dot,
  CharacterClass.quote,
]

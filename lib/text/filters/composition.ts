/** Filters on the characters of a text. Shares are of the code units that are neither blanks nor line ends. */
import { CharacterClass } from '../characters.js'
import type { CleanText } from '../clean.js'

/** Requires a share of Han characters among all that are not punctuation. */
export function chineseShare(text: CleanText, shareMin: number): string | null {
  const { counts } = text
  let others = 0
  for (const kind of counted) others += counts[kind] as number
  let punctuation = 0
  for (const kind of marks) punctuation += counts[kind] as number
  const han = visible(text) - others - punctuation
  const share = han <= 0 ? 0 : han / (han + others)
  return share < shareMin ? `${percent(share)} Chinese of at least ${percent(shareMin)}` : null
}

/** Limits symbols and ASCII punctuation: box drawing, arrows, emoji, code. */
export function symbolShare(text: CleanText, shareMax: number): string | null {
  const { counts } = text
  const symbols = (counts[CharacterClass.symbol] as number) + (counts[CharacterClass.asciiPunctuation] as number)
  return over(symbols, text, shareMax, 'symbols')
}

/** Limits digits: tables, price lists, telephone books. */
export function digitShare(text: CleanText, shareMax: number): string | null {
  return over(text.counts[CharacterClass.digit] as number, text, shareMax, 'digits')
}

/** Compares `found`, as a share of the visible code units, with its limit. */
export function over(found: number, text: CleanText, shareMax: number, what: string): string | null {
  const all = visible(text)
  const share = all === 0 ? 0 : found / all
  return share > shareMax ? `${percent(share)} ${what} of at most ${percent(shareMax)}` : null
}

export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`
}

function visible(text: CleanText): number {
  return text.length - (text.counts[CharacterClass.blank] as number) - (text.counts[CharacterClass.newline] as number)
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

/**
 * Filters on the characters of a text. Shares are of the code units that are neither blanks nor line ends, without code,
 * mathematics and links (../asides.ts).
 */
import { AsideKind } from '../asides.js'
import { CharacterClass, type ClassCounts } from '../characters.js'
import type { CleanText } from '../clean.js'
import { lineEndOf } from '../code-lines.js'

/**
 * Requires a share of Han characters among all that are not punctuation. Code and links count an eighth, mathematics half of that, so
 * that a few words on a page of code pass for Chinese text, and none do not. Where there are Chinese clauses, letters of
 * other scripts count a quarter, because their words are longer, and beside mathematics digits do.
 */
export function chineseShare(text: CleanText, shareMin: number): string | null {
  const { proseCounts } = text
  let others = 0
  for (const kind of counted) others += proseCounts[kind] as number
  let punctuation = 0
  for (const kind of marks) punctuation += proseCounts[kind] as number
  const han = visible(text) - others - punctuation
  const math = text.asideChars[AsideKind.math] as number
  const asideChars = text.length - text.proseLength
  const aside = (asideChars - Math.min(math, asideChars) / 2) / asideWeight
  const shareWith = (weight: number) => (han <= 0 ? 0 : han / (han + weight + aside))
  const share = shareWith(others)
  if (share >= shareMin) return null
  if (han >= clauseHanMin && clauseMarksOf(text) >= clauseMarksMin) {
    let letters = 0
    for (const kind of letterKinds) letters += proseCounts[kind] as number
    if (math > 0) letters += proseCounts[CharacterClass.digit] as number
    if (shareWith(others - letters + letters / letterWeight) >= shareMin) return null
  }
  return `${percent(share)} Chinese of at least ${percent(shareMin)}`
}

const asideWeight = 8
const letterWeight = 4
/** Ideographs and marks that Chinese clauses have at least. */
const clauseHanMin = 8
const clauseMarksMin = 2

/** ，。；？！ in the text. */
function clauseMarksOf({ codes, length }: CleanText): number {
  let found = 0
  for (let at = 0; at < length; at++) if (isClauseMark(codes[at] as number)) found++
  return found
}

/** ，。；？！ */
export function isClauseMark(code: number): boolean {
  return code === 0xff0c || code === 0x3002 || code === 0xff1b || code === 0xff1f || code === 0xff01
}

/** Limits symbols and ASCII punctuation: box drawing, arrows, emoji. The frame of a table in Markdown does not count. */
export function symbolShare(text: CleanText, shareMax: number): string | null {
  const { proseCounts } = text
  const symbols = proseCounts[CharacterClass.symbol] + proseCounts[CharacterClass.asciiPunctuation]
  const all = visible(text)
  if (symbols <= shareMax * all) return null
  const frame = tableFrameChars(text)
  return over(symbols - frame, all - frame, shareMax, 'symbols')
}

/** Code units of bars around the cells of tables, and of the rows of dashes below their heads. */
function tableFrameChars(text: CleanText): number {
  const { codes, lines, lineStart } = text
  let frame = 0
  let heads = 0
  for (let line = 0; line < lines; line++) {
    const start = lineStart[line] as number
    if (codes[start] !== bar) continue
    const end = lineEndOf(text, line)
    if (end - start < 3 || codes[end - 1] !== bar) continue
    let bars = 0
    let dashes = 0
    for (let at = start; at < end; at++) {
      if (codes[at] === bar) bars++
      else if (codes[at] === dash) dashes++
    }
    frame += bars
    if (dashes >= 3 && isRule(codes, start, end)) {
      frame += dashes
      heads++
    }
  }
  return heads > 0 ? frame : 0
}

/** Whether a line has nothing but bars, dashes, colons and blanks. */
function isRule(codes: Uint16Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const code = codes[at] as number
    if (code !== bar && code !== dash && code !== 0x3a && code !== 0x20) return false
  }
  return true
}

const bar = 0x7c
const dash = 0x2d

/** Limits digits: tables, price lists, telephone books. Digits of dates in words (1911年10月10日) do not count. */
export function digitShare(text: CleanText, shareMax: number): string | null {
  const digits = text.proseCounts[CharacterClass.digit]
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

function visibleOf(length: number, counts: ClassCounts): number {
  return length - counts[CharacterClass.blank] - counts[CharacterClass.newline]
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
const letterKinds = [CharacterClass.latin, CharacterClass.letterW, CharacterClass.otherLetter]
const marks = [
  CharacterClass.asciiPunctuation,
  CharacterClass.widePunctuation,
  CharacterClass.sentenceEnd,
  CharacterClass.closer,
  CharacterClass.colon,
  CharacterClass.dot,
  CharacterClass.quote,
]

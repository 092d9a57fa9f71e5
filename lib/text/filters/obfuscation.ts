/** Filters on text that was altered so that word filters do not see it: separators, spelt-out sounds, runs. */

import type { CensusMeter } from '../census.js'
import { CharacterClass, isIdeograph, isLatin } from '../characters.js'
import type { CleanText } from '../clean.js'
import { isSyllable, isSyllableAt, syllableCharsMax } from '../pinyin.js'
import { over, percent, visibleWithAsides } from './composition.js'

/**
 * Limits what was put between ideographs: one and the same symbol or letter over and over, their sound in brackets, blanks
 * around every single one.
 */
export function obfuscated(text: CleanText, shareMax: number): string | null {
  const { counts, length } = text
  const symbols = counts[CharacterClass.symbol] + counts[CharacterClass.otherLetter]
  const marks = counts[CharacterClass.asciiPunctuation] + counts[CharacterClass.widePunctuation]
  const latin = counts[CharacterClass.latin] + counts[CharacterClass.letterW]
  const blanks = counts[CharacterClass.blank]
  const isMarked = marks * rightlyBetween > length
  const others = symbols + latin + blanks
  if (!isMarked && (others < insertionsMin || others <= shareMax * length)) return null
  const inserted = Math.max(separators(text), sounds(text), spaced(text))
  const share = inserted / Math.max(1, visibleWithAsides(text))
  return inserted >= insertionsMin && share > shareMax
    ? `${percent(share)} inserted between characters of at most ${percent(shareMax)}`
    : null
}

/** Fewest insertions that are a habit. */
const insertionsMin = 5

/** Occurrences of the most frequent single symbol or letter with an ideograph on both sides. */
function separators({ codes, length }: CleanText): number {
  const counts = new Map<number, number>()
  for (let at = 1; at + 1 < length; at++) {
    const code = codes[at] as number
    if (isIdeograph(code) || code === 0x20) continue
    if (isIdeograph(codes[at - 1] as number) && isIdeograph(codes[at + 1] as number)) {
      counts.set(code, (counts.get(code) ?? 0) + 1)
    }
  }
  let most = 0
  for (const [code, count] of counts) {
    if (isSeparator(code) || count * rightlyBetween > length) most = Math.max(most, count)
  }
  return most
}

/** Marks that are more frequent are not punctuation. */
const rightlyBetween = 3

/** Letters and symbols; no punctuation, arrows, mathematical operators or units, which stand between words rightly. */
function isSeparator(code: number): boolean {
  if (code < 0x80) return isLatin(code) || code === 0x2a || code === 0x5e || code === 0x24 || code === 0x23
  if (code >= 0x2000 && code <= 0x206f) return false
  if (code >= 0x2190 && code <= 0x22ff) return false
  if (code >= 0x3000 && code <= 0x303f) return false
  if (code === 0xb7 || code === 0xd7 || code === 0xf7 || code === 0xb0 || code === 0x30fb || code === 0x30fc)
    return false
  if (code >= 0xd800 && code <= 0xdfff) return false
  return code < 0xff00 || code > 0xffef
}

/**
 * Letters, and their brackets, of words that spell a Chinese syllable next to an ideograph, as in 贷dai款 and 更新(xin). 0 if
 * too many of the text's words are not syllables: those are names and terms.
 */
function sounds({ codes, length }: CleanText): number {
  let [chars, syllables, words] = [0, 0, 0]
  for (let at = 0; at < length; at++) {
    if (!isLetter(codes[at] as number)) continue
    let end = at
    while (end < length && isLetter(codes[end] as number)) end++
    words++
    const inBrackets = isBracket(codes[at - 1]) && isBracket(codes[end])
    const [before, after] = inBrackets ? [codes[at - 2], codes[end + 1]] : [codes[at - 1], codes[end]]
    const isNext = isHan(before) || (isHan(after) && !inBrackets)
    if (isNext && end - at <= syllableCharsMax && isSound(codes, at, end, inBrackets)) {
      syllables++
      chars += end - at + (inBrackets ? 2 : 0)
    }
    at = end - 1
  }
  return syllables >= syllablesMin && syllables * 10 >= words * 7 ? chars : 0
}

const syllablesMin = 4

/** Whether a word spells a syllable; with tone marks in brackets alone. */
function isSound(codes: Uint16Array, start: number, end: number, inBrackets: boolean): boolean {
  if (isSyllableAt(codes, start, end)) return true
  return inBrackets && isSyllable(String.fromCharCode(...codes.subarray(start, end)), true)
}

/** Latin letters, and the vowels with tone marks. */
function isLetter(code: number): boolean {
  return isLatin(code) || (code >= 0xe0 && code <= 0x1dc)
}

function isBracket(code: number | undefined): boolean {
  return code === 0x28 || code === 0x29 || code === 0xff08 || code === 0xff09
}

function isHan(code: number | undefined): boolean {
  return code !== undefined && isIdeograph(code)
}

/** Single ideographs with a blank and another single one on both sides. */
function spaced({ codes, length }: CleanText): number {
  let found = 0
  for (let at = 2; at + 2 < length; at++) {
    if (codes[at - 1] !== 0x20 || codes[at + 1] !== 0x20) continue
    if (
      isIdeograph(codes[at] as number) &&
      isIdeograph(codes[at - 2] as number) &&
      isIdeograph(codes[at + 2] as number)
    )
      found++
  }
  return found
}

/** Limits runs of one character, or of two in turn: 哈哈哈哈, 顶顶顶顶, emoji. */
export function characterRuns(text: CleanText, shareMax: number, { sample }: CensusMeter): string | null {
  const { counted, runs } = sample(text)
  if (runs * 4 < shareMax * counted) return null
  const { codes, length } = text
  let chars = 0
  let at = 0
  while (at < length) {
    const end = runEnd(codes, at, length)
    if (end - at >= runCharsMin && isTextual(codes[at] as number)) chars += end - at
    at = Math.max(end, at + 1)
  }
  return over(chars, visibleWithAsides(text), shareMax, 'in runs of one character')
}

const runCharsMin = 4

/** End of the run of one code unit at `at`, or of one surrogate pair. */
function runEnd(codes: Uint16Array, at: number, length: number): number {
  const period = ((codes[at] as number) & 0xfc00) === 0xd800 ? 2 : 1
  let end = at + period
  while (end < length && codes[end] === codes[end - period]) end++
  return end
}

/** Ideographs, letters, emoji, exclamation and question marks: not rules, leaders, digits or blanks. */
function isTextual(code: number): boolean {
  return isIdeograph(code) || isLatin(code) || code >= 0xd800 || code === 0x21 || code === 0x3f
}

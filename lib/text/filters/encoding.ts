/** Filters on text in the wrong encoding, in escapes, and in other scripts. */

import { type CensusMeter, HanSet, hanOf } from '../census.js'
import { CharacterClass, isIdeograph, isLatin } from '../characters.js'
import type { CleanText } from '../clean.js'
import { escapedChars } from '../escapes.js'
import { isClauseMark, over, percent, visibleWithAsides } from './composition.js'

/** Limits ideographs that UTF-8 read as GBK is full of, U+FFFD, private use, and UTF-8 read as Latin-1. */
export function mojibake(text: CleanText, shareMax: number, census: CensusMeter): string | null {
  const { sets } = census.sample(text)
  const suspect = sets[HanSet.garbled] > 0 || mayBeLatin1(text)
  if (!suspect) return null
  const garbled = census.exact(text).sets[HanSet.garbled] + latin1Pairs(text)
  return over(garbled, visibleWithAsides(text), shareMax, 'decoded with the wrong character set')
}

/** Limits \u4e2d, &#20013;, %E4%B8 and the like, which should have been decoded. */
export function escapedText(text: CleanText, shareMax: number): string | null {
  const marks = text.counts[CharacterClass.asciiPunctuation]
  if (marks * charsPerEscapeMax < shareMax * text.length) return null
  return over(escapedChars(text), visibleWithAsides(text), shareMax, 'escapes')
}

/** Length of an escape, `&thetasym;`. */
const charsPerEscapeMax = 10

/** Limits kana and hangul among all letters. */
export function foreignScript(text: CleanText, shareMax: number, census: CensusMeter): string | null {
  const others = text.counts[CharacterClass.otherLetter]
  const han = hanOf(text)
  if (others <= shareMax * (others + han)) return null
  const { sets } = census.exact(text)
  const foreign = sets[HanSet.kana] + sets[HanSet.hangul]
  return over(foreign, foreign + han, shareMax, 'kana or hangul')
}

/** Limits ideographs that are hardly ever used: text in the wrong encoding that looks like Chinese. */
export function rareHan(text: CleanText, shareMax: number, census: CensusMeter): string | null {
  const sample = census.sample(text)
  if (sample.sets[HanSet.rare] * 2 <= shareMax * sample.counted) return null
  const rare = census.exact(text).sets[HanSet.rare]
  return over(rare, hanOf(text), shareMax, 'rare ideographs')
}

/**
 * Requires function words, which every sentence has, and lists of keywords or products do not; twice as many without any
 * mark of a sentence.
 */
export function functionWords(text: CleanText, shareMin: number, census: CensusMeter): string | null {
  const han = hanOf(text)
  if (han < functionHanMin) return null
  const sample = census.sample(text)
  if (sample.sets[HanSet.functionWord] > 2 * shareMin * sample.counted) return null
  const share = census.exact(text).sets[HanSet.functionWord] / han
  const bound = hasClauseMark(text) ? shareMin : 2 * shareMin
  if (share >= bound || isSentences(text)) return null
  return `${percent(share)} function words of at least ${percent(bound)}`
}

/** Fewest ideographs of which a share means something. */
const functionHanMin = 30

/**
 * Whether the text consists of sentences or of verses nevertheless: every eighth clause ends a sentence, or most clauses
 * are as long as the one before, of 5 or 7 ideographs, or of 3 to 7 between commas. Recipes, definitions and poems need few
 * function words. What 、 joins is one clause, and so is what has a
 * number or a note in brackets in it.
 */
function isSentences(text: CleanText): boolean {
  const { codes, length, counts } = text
  let clauses = 0
  let equal = 0
  let previous = 0
  let run = 0
  let isPunctuated = false
  for (let at = 0; at <= length; at++) {
    if (at < length && isIdeograph(codes[at] as number)) {
      run++
      continue
    }
    if (run > 0 && at < length && isJoint(codes[at] as number)) continue
    if (run > 0) {
      clauses++
      if (run === previous && (run === 5 || run === 7 || (isPunctuated && run >= 3 && run <= 7))) equal++
      previous = run
      run = 0
      isPunctuated = false
    }
    isPunctuated ||= at < length && isClauseMark(codes[at] as number)
  }
  return counts[CharacterClass.sentenceEnd] * 8 >= clauses || equal * 3 >= clauses * 2
}

/** 、, a bracket, a digit, a Latin letter, or the dot in a number. */
function isJoint(code: number): boolean {
  if (code === 0x3001 || code === 0x2e || code === 0xff08 || code === 0xff09) return true
  return (code >= 0x30 && code <= 0x39) || isLatin(code)
}

function hasClauseMark({ codes, length }: CleanText): boolean {
  for (let at = 0; at < length; at++) if (isClauseMark(codes[at] as number)) return true
  return false
}

function mayBeLatin1({ counts, length }: CleanText): boolean {
  const letters = counts[CharacterClass.otherLetter]
  return letters * 100 > length
}

/** Code units of pairs such as ä¸: a lead byte of UTF-8 read as a letter, then a byte outside ASCII. */
function latin1Pairs({ codes, length }: CleanText): number {
  let found = 0
  for (let at = 0; at + 1 < length; at++) {
    const code = codes[at] as number
    if (code < 0xe2 || code > 0xef) continue
    const next = codes[at + 1] as number
    if (next < 0x80 || (next >= 0xc0 && !isWindows1252(next))) continue
    found += 2
    at++
  }
  return found
}

/** Bytes 80 … 9F of Windows-1252 that are above U+00FF. */
function isWindows1252(code: number): boolean {
  return windows1252.has(code)
}

const windows1252 = new Set([...'€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ'].map((character) => character.charCodeAt(0)))

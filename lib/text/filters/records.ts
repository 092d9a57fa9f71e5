/** Filters on records that are not text: rows of tables, logs, subtitles, lists of addresses and of links. */
import { CharacterClass, isIdeograph } from '../characters.js'
import type { CleanText } from '../clean.js'
import { contactNumbers } from '../contact-numbers.js'
import { eachLine, textEndOf } from '../text-lines.js'
import { over, percent, visibleWithAsides } from './composition.js'

/** Limits telephone numbers and e-mail addresses per 100 characters: lists of contacts, parcels, winners. */
export function contactList(text: CleanText, per100Max: number): string | null {
  const { counts, length } = text
  const digits = counts[CharacterClass.digit]
  const latin = counts[CharacterClass.latin]
  if ((digits + latin) * 12 < length) return null
  const found = contactNumbers(text)
  const per100 = (100 * found) / length
  return found >= contactsMin && per100 > per100Max
    ? `${per100.toFixed(1)} telephone numbers and e-mail addresses per 100 characters of at most ${per100Max}`
    : null
}

const contactsMin = 2

/**
 * Limits lines that are rows: at least 3 cells between blanks or bars, half of them with digits, or a time stamp
 * or the number of a reply first. A header counts with the rows below it.
 */
export function dataRows(text: CleanText, shareMax: number): string | null {
  const { counts, length } = text
  const blanks = counts[CharacterClass.blank]
  const digits = counts[CharacterClass.digit]
  if (digits * 16 < length || (text.lines < cellsMin && blanks * 20 < length)) return null
  let chars = 0
  let previous = 0
  eachLine(text, (start, end) => {
    const cells = cellsOf(text.codes, start, end)
    const isRow = isData(cells) || startsWithTime(text.codes, start, end) || startsWithFloor(text.codes, start, end)
    if (isRow) chars += visibleIn(text.codes, start, end) + previous
    previous = !isRow && cells.cells >= cellsMin && !cells.hasMarks ? visibleIn(text.codes, start, end) : 0
  })
  return over(chars, visibleWithAsides(text), shareMax, 'in rows of data')
}

interface Cells {
  cells: number
  withDigits: number
  /** Full stops or commas of prose. */
  hasMarks: boolean
}

const cellsMin = 3

function cellsOf(codes: Uint16Array, start: number, end: number): Cells {
  const found = { cells: 0, withDigits: 0, hasMarks: false }
  let inCell = false
  let digit = false
  for (let at = start; at <= end; at++) {
    const code = at < end ? (codes[at] as number) : 0x20
    if (code === 0x20 || code === 0x7c) {
      if (inCell) found.cells++
      if (inCell && digit) found.withDigits++
      inCell = digit = false
      continue
    }
    inCell = true
    if (code >= 0x30 && code <= 0x39) digit = true
    else if (code === 0x3002 || code === 0xff0c) found.hasMarks = true
  }
  return found
}

function isData({ cells, withDigits, hasMarks }: Cells): boolean {
  return cells >= cellsMin && withDigits * 2 >= cells && !hasMarks
}

/** 2021-03-04, 2021/3/4, 12:00:01, also in brackets. */
function startsWithTime(codes: Uint16Array, start: number, end: number): boolean {
  let at = codes[start] === 0x5b ? start + 1 : start
  let groups = 0
  while (at < end) {
    const from = at
    while (at < end && isDigit(codes[at] as number)) at++
    if (at === from || at - from > 4) break
    groups++
    const mark = codes[at]
    if (mark !== 0x2d && mark !== 0x2f && mark !== 0x3a) break
    at++
  }
  return groups >= 3
}

/** 3楼, 回复 3 楼, #3: a reply of a forum. */
function startsWithFloor(codes: Uint16Array, start: number, end: number): boolean {
  let at = start
  const isReply = codes[at] === 0x56de && codes[at + 1] === 0x590d
  if (isReply) at += 2
  while (at < end && codes[at] === 0x20) at++
  if (codes[at] === 0x23) return isDigit(codes[at + 1] as number)
  const from = at
  while (at < end && isDigit(codes[at] as number)) at++
  if (at === from) return false
  while (at < end && codes[at] === 0x20) at++
  return codes[at] === 0x697c && (isReply || !isIdeograph(codes[at + 1] as number))
}

/**
 * Limits lines of links: titles and menus without a mark of a sentence, in a text that hardly has any. A line counts if
 * it is numbered, ends in a date or in …, or has cells between bars, `>` or blanks that are 8 characters at most.
 */
export function linkList(text: CleanText, shareMax: number): string | null {
  const { lines, counts, length } = text
  const ends = counts[CharacterClass.sentenceEnd]
  if (lines < linkLinesMin || (ends > lines / 4 && length > lines * headlineCharsMax)) return null
  let chars = 0
  let listed = 0
  const hasSentences = ends > lines / 4
  if (!hasSentences) {
    eachLine(text, (start, end) => {
      if (!isLinkLine(text.codes, start, end)) return
      chars += visibleIn(text.codes, start, end)
      listed++
    })
  }
  const headlineChars = headlines(text)
  if (headlineChars > chars) [chars, listed] = [headlineChars, lines]
  const share = chars / Math.max(1, visibleWithAsides(text))
  return listed >= linkLinesMin && share > shareMax
    ? `${percent(share)} in lines of links of at most ${percent(shareMax)}`
    : null
}

/**
 * Characters of lines that are headlines, where all are: of 13 to 36 characters on average, without a full stop
 * anywhere, ending in an ideograph, ！ or ？. 0 if one is none: verses are shorter, notes are introduced, or each has its
 * label: 【优点】.
 */
function headlines(text: CleanText): number {
  const { lines, length, codes } = text
  if (length < lines * headlineCharsMin || length > lines * headlineCharsMax) return 0
  let chars = 0
  let labelled = 0
  for (let line = 0; line < lines; line++) {
    const start = text.lineStart[line] as number
    const end = textEndOf(text, line)
    if (codes[start] === 0x3010) labelled++
    const last = codes[end - 1] as number
    if (end - start < 8 || !(isIdeograph(last) || last === 0xff01 || last === 0xff1f)) return 0
    for (let at = start; at < end; at++) if (codes[at] === 0x3002) return 0
    chars += end - start
  }
  return labelled === lines ? 0 : chars
}

const headlineCharsMin = 13
const headlineCharsMax = 36

const linkLinesMin = 4
const linkLineCharsMax = 60
const menuCellCharsMax = 8

function isLinkLine(codes: Uint16Array, start: number, end: number): boolean {
  let cells = 1
  let cellChars = 0
  let longest = 0
  for (let at = start; at < end; at++) {
    const code = codes[at] as number
    if (code === 0x3002 || code === 0xff0c || code === 0xff1b || code === 0x3b) return false
    if (isMenuMark(code)) {
      if (cellChars > 0) cells++
      cellChars = 0
    } else longest = Math.max(longest, ++cellChars)
  }
  if (cells >= menuCellsMin && longest <= menuCellCharsMax) return true
  if (end - start > linkLineCharsMax) return false
  return isNumbered(codes, start, end) || endsInDate(codes, start, end) || isCutOff(codes, start, end)
}

/** Ends in … or ... */
function isCutOff(codes: Uint16Array, start: number, end: number): boolean {
  const last = codes[end - 1]
  return end - start > 8 && (last === 0x2026 || (last === 0x2e && codes[end - 2] === 0x2e && codes[end - 3] === 0x2e))
}

const menuCellsMin = 4

function isMenuMark(code: number): boolean {
  return code === 0x20 || code === 0x7c || code === 0x3e || code === 0xbb || code === 0xff5c || code === 0x2502
}

/** 1 to 3 digits, then a blank, a dot or 、, then an ideograph. */
function isNumbered(codes: Uint16Array, start: number, end: number): boolean {
  let at = start
  while (at < end && at < start + 3 && isDigit(codes[at] as number)) at++
  if (at === start || at + 1 >= end) return false
  while (at < end && (codes[at] === 0x20 || codes[at] === 0x2e || codes[at] === 0x3001)) at++
  return at < end && (isIdeograph(codes[at] as number) || codes[at] === 0x300a)
}

/** 05-01, 2019-05-01, 2019/05/01, also in brackets. */
function endsInDate(codes: Uint16Array, start: number, end: number): boolean {
  const last = codes[end - 1]
  let at = last === 0x5d || last === 0x29 || last === 0xff09 ? end - 1 : end
  const from = at
  let marks = 0
  while (at > start) {
    const code = codes[at - 1] as number
    if (code === 0x2d || code === 0x2f || code === 0x3a || code === 0x2e) marks++
    else if (!isDigit(code)) break
    at--
  }
  return marks >= 1 && marks <= 2 && from - at >= 4 && at > start + 4
}

function visibleIn(codes: Uint16Array, start: number, end: number): number {
  let visible = 0
  for (let at = start; at < end; at++) if (codes[at] !== 0x20) visible++
  return visible
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

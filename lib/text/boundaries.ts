/**
 * Where a text may be divided. The scanner ranks the end of each unit by what ends there (units.ts); here boundaries that
 * would separate an answer from its question, divide a table or a block of code, or let a chunk begin with a comma, are
 * ranked lower. Used for texts that do not fit in one chunk.
 */
import { CharacterClass, type ClassCounts } from './characters.js'
import { UnitEnd, type Units } from './units.js'

/** Ranks besides those of UnitEnd. Never chosen while another boundary is left: `attached` before `inside`. */
const Boundary = {
  ...UnitEnd,
  /** The next unit belongs to this one: an answer, an option of a question, what continues a sentence. */
  attached: 4,
  /** Between two rows of a table or two lines of a block of code. */
  inside: 5,
} as const

export interface Boundaries {
  /** Boundary at the end of each unit. */
  readonly rank: Uint8Array
  /** First unit of the table that the unit is a row of; −1 outside a table. Null: there is no table. */
  readonly tableStart: Int32Array | null
}

interface CountedText {
  readonly codes: Uint16Array
  readonly length: number
  readonly counts: ClassCounts
}

/** Returns the boundaries of the units. Linear in the length of the text. */
export function boundariesOf(text: CountedText, units: Units): Boundaries {
  const { count } = units
  const rank = units.rank.slice(0, count)
  // Fences and bars are ASCII punctuation, which prose does not have.
  const hasMarks = text.counts[CharacterClass.asciiPunctuation] >= barsMin
  const tableStart = hasMarks ? markBlocks(text, units, rank) : null
  attachUnits(text.codes, units, rank)
  return { rank, tableStart }
}

/** Marks the boundaries inside blocks of code and tables; returns `tableStart`. */
function markBlocks({ codes }: CountedText, units: Units, rank: Uint8Array): Int32Array {
  const { count, start: starts, end: ends } = units
  const tableStart = new Int32Array(count).fill(-1)
  let fenced = false
  let table = -1
  for (let unit = 0; unit < count; unit++) {
    const start = starts[unit] as number
    const end = ends[unit] as number
    const opensLine = isFirstInLine(codes, start)
    if (opensLine && isFence(codes, start)) {
      // The fence that ends a block is inside it; what follows is not.
      if (unit > 0 && fenced) rank[unit - 1] = Boundary.inside
      fenced = !fenced
    } else if (fenced && unit > 0) rank[unit - 1] = Boundary.inside
    const row = !fenced && opensLine && isTableRow(codes, start, end)
    if (!row && (opensLine || table < 0)) table = -1
    else if (table < 0) table = unit
    else if (unit > 0) rank[unit - 1] = Boundary.inside
    tableStart[unit] = table
  }
  return tableStart
}

/** Attaches answers to their questions, and what continues a sentence to its beginning. */
function attachUnits(codes: Uint16Array, units: Units, rank: Uint8Array): void {
  const { count, start: starts, end: ends } = units
  /** First unit of the line, and whether the line is an answer. */
  let lineFrom = 0
  let answers = false
  for (let unit = 0; unit < count; unit++) {
    const start = starts[unit] as number
    const opening = openings[codes[start] as number] as number
    if (isFirstInLine(codes, start)) {
      answers = (opening & opensAnswer) !== 0 && isAnswer(codes, start, ends[unit] as number)
      // The sentences of a question stay together too: `lineFrom` is the first unit of the line before.
      for (let asked = lineFrom; answers && asked < unit; asked++) attach(rank, asked)
      lineFrom = unit
      if (unit > 0 && (opening & opensOption) !== 0 && isOption(codes, start)) attach(rank, unit - 1)
    }
    if (unit > 0 && (answers || (opening & opensRest) !== 0)) attach(rank, unit - 1)
  }
}

/** Returns the latest heading of units[from … to); −1 if there is none. */
export function headingIn(units: Units, from: number, to: number, length: number): number {
  for (let unit = to - 1; unit >= from; unit--) if (isHeading(units, unit, length)) return unit
  return -1
}

/** Whether a unit is a short line without a mark at its end, before the end of the text. */
export function isHeading(units: Units, unit: number, length: number): boolean {
  const end = units.end[unit] as number
  const chars = end - (units.start[unit] as number)
  return units.rank[unit] === UnitEnd.heading && chars <= headingCharsMax && end < length
}

/** Whether nothing but indentation is before the position in its line. */
function isFirstInLine(codes: Uint16Array, start: number): boolean {
  if (start === 0) return true
  const before = codes[start - 1] as number
  // Most units follow a sentence or a line end.
  if (before > 0x20 && before !== 0x3000) return false
  return before === newline || isBehindIndentation(codes, start)
}

function isBehindIndentation(codes: Uint16Array, start: number): boolean {
  let at = start
  while (at > 0 && (codes[at - 1] === 0x20 || codes[at - 1] === 0x09 || codes[at - 1] === 0x3000)) at--
  return at === 0 || codes[at - 1] === newline
}

const newline = 0x0a
/** A longer line that announces what follows is a sentence, not a heading. */
const headingCharsMax = 30
const backquote = 0x60
const tilde = 0x7e

function isFence(codes: Uint16Array, start: number): boolean {
  const mark = codes[start]
  return (mark === backquote || mark === tilde) && codes[start + 1] === mark && codes[start + 2] === mark
}

/** Cells of a Markdown row are separated by at least this many bars. */
const barsMin = 2
/** Longest part of a line in which the bars are looked for. */
const barSearchChars = 400

function isTableRow(codes: Uint16Array, start: number, end: number): boolean {
  const to = Math.min(end, start + barSearchChars)
  let bars = 0
  for (let at = start; at < to; at++) if (codes[at] === 0x7c && ++bars === barsMin) return true
  return false
}

/** Marks that continue a sentence or close what was opened in the unit before. */
const continuing = '，、；：,;:”’」』）)】》〉〕］｝]}'

/** Whether a mark continues a sentence, so that no chunk begins with it. */
export function continuesSentence(code: number): boolean {
  return ((openings[code] as number) & opensRest) !== 0
}

function attach(rank: Uint8Array, unit: number): void {
  if ((rank[unit] as number) < Boundary.attached) rank[unit] = Boundary.attached
}

/** Openings of an answer; a colon, a full stop or 】 follows. */
const answerWords = ['参考答案', '正确答案', '答案', '回答', '解答', '解析', '答', '解', 'Answer', 'A']
const answerCharsMax = 8

/** What a unit may be by its first code unit: the rest of a sentence, an answer, an option of a question. */
const opensRest = 1
const opensAnswer = 2
const opensOption = 4

const openings: Uint8Array = (() => {
  const table = new Uint8Array(65_536)
  const add = (characters: string, flag: number) => {
    for (const character of characters)
      table[character.charCodeAt(0)] = (table[character.charCodeAt(0)] as number) | flag
  }
  add(continuing, opensRest)
  add(`${answerWords.map((word) => word.charAt(0)).join('')}【`, opensAnswer)
  add('(（ABCDEFGH', opensOption)
  return table
})()

function isAnswer(codes: Uint16Array, start: number, end: number): boolean {
  if (!hasAnswerMark(codes, start + 1, Math.min(end, start + answerCharsMax))) return false
  const opening = String.fromCharCode(...codes.subarray(start, Math.min(end, start + answerCharsMax)))
  const text = opening.startsWith('【') ? opening.slice(1) : opening
  return answerWords.some((word) => text.startsWith(word) && /^ ?[:：】]/.test(text.slice(word.length)))
}

/** Whether a colon or a bracket is there, as behind the word of an answer. */
function hasAnswerMark(codes: Uint16Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const code = codes[at]
    if (code === 0x3a || code === 0xff1a || code === 0x3011) return true
  }
  return false
}

/** A. to H. before a blank, 、or text: an option of a question. A. may also begin a list, which is kept together too. */
function isOption(codes: Uint16Array, start: number): boolean {
  const at = codes[start] === 0x28 || codes[start] === 0xff08 ? start + 1 : start
  const letter = codes[at] as number
  const after = codes[at + 1] as number
  return letter >= 0x41 && letter <= 0x48 && (after === 0x2e || after === 0x3001 || after === 0xff0e || after === 0x29)
}

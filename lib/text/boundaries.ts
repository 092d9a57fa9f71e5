/**
 * Where a text may be divided. The scanner ranks the end of each unit by what ends there (units.ts); here boundaries that
 * would separate an answer from its question, divide a table or a block of code, or let a chunk begin with a comma, are
 * ranked lower. Used for texts that do not fit in one chunk.
 */
import { CharacterClass } from './characters.js'
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
  /** First unit of the table that the unit is a row of; −1 outside a table. */
  readonly tableStart: Int32Array
  /** Latest unit before this one, or the unit itself, that is a heading; −1 if there is none. */
  readonly heading: Int32Array
}

/** Whether nothing but indentation is before the position in its line. */
function isFirstInLine(codes: Uint16Array, start: number): boolean {
  let at = start
  while (at > 0 && (codes[at - 1] === 0x20 || codes[at - 1] === 0x09 || codes[at - 1] === 0x3000)) at--
  return at === 0 || codes[at - 1] === newline
}

/** Returns the boundaries of the units. Linear in the length of the text. */
export function boundariesOf(
  text: { readonly codes: Uint16Array; readonly length: number; readonly counts: Int32Array },
  units: Units,
): Boundaries {
  const { codes, length } = text
  const { count } = units
  // Fences and bars are ASCII punctuation, which prose does not have.
  const mayHaveBlocks = (text.counts[CharacterClass.asciiPunctuation] as number) >= barsMin
  const rank = units.rank.slice(0, count)
  const tableStart = new Int32Array(count).fill(-1)
  const heading = new Int32Array(count).fill(-1)
  let fenced = false
  let table = -1
  let latestHeading = -1
  /** First unit of the line, and whether the line is an answer. */
  let lineFrom = 0
  let answers = false
  for (let unit = 0; unit < count; unit++) {
    const start = units.start[unit] as number
    const end = units.end[unit] as number
    const opensLine = isFirstInLine(codes, start)
    if (mayHaveBlocks && opensLine && isFence(codes, start)) {
      // The fence that ends a block is inside it; what follows is not.
      if (unit > 0 && fenced) rank[unit - 1] = Boundary.inside
      fenced = !fenced
    } else if (fenced && unit > 0) rank[unit - 1] = Boundary.inside
    const row = mayHaveBlocks && !fenced && opensLine && isTableRow(codes, start, end)
    if (!row && (opensLine || table < 0)) table = -1
    else if (table < 0) table = unit
    else if (unit > 0) rank[unit - 1] = Boundary.inside
    tableStart[unit] = table
    if (opensLine) {
      answers = isAnswer(codes, start, end)
      // The sentences of a question stay together too: `lineFrom` is the first unit of the line before.
      for (let asked = lineFrom; answers && asked < unit; asked++) attach(rank, asked)
      lineFrom = unit
    }
    if (unit > 0 && (answers || continues(codes, start, opensLine))) attach(rank, unit - 1)
    if (units.rank[unit] === UnitEnd.heading && end - start <= headingCharsMax && end < length) latestHeading = unit
    heading[unit] = latestHeading
  }
  return { rank, tableStart, heading }
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
const continuing = tableOf('，、；：,;:”’」』）)】》〉〕］｝]}')

/** Returns a table with a 1 for each character. */
function tableOf(characters: string): Uint8Array {
  const table = new Uint8Array(65_536)
  for (const character of characters) table[character.charCodeAt(0)] = 1
  return table
}

/** Whether a mark continues a sentence, so that no chunk begins with it. */
export function continuesSentence(code: number): boolean {
  return continuing[code] === 1
}

function continues(codes: Uint16Array, start: number, opensLine: boolean): boolean {
  return continuing[codes[start] as number] === 1 || (opensLine && isOption(codes, start))
}

function attach(rank: Uint8Array, unit: number): void {
  if ((rank[unit] as number) < Boundary.attached) rank[unit] = Boundary.attached
}

/** Openings of an answer; a colon, a full stop or 】 follows. */
const answerWords = ['参考答案', '正确答案', '答案', '回答', '解答', '解析', '答', '解', 'Answer', 'A']
const answerCharsMax = 8

/** First characters of them: most lines begin with another one. */
const answerStarts = tableOf(`${answerWords.map((word) => word.charAt(0)).join('')}【`)

function isAnswer(codes: Uint16Array, start: number, end: number): boolean {
  if (answerStarts[codes[start] as number] !== 1) return false
  const opening = String.fromCharCode(...codes.subarray(start, Math.min(end, start + answerCharsMax)))
  const text = opening.startsWith('【') ? opening.slice(1) : opening
  return answerWords.some((word) => text.startsWith(word) && /^ ?[:：】]/.test(text.slice(word.length)))
}

/** A. to H. before a blank, 、or text: an option of a question. A. may also begin a list, which is kept together too. */
function isOption(codes: Uint16Array, start: number): boolean {
  const at = codes[start] === 0x28 || codes[start] === 0xff08 ? start + 1 : start
  const letter = codes[at] as number
  const after = codes[at + 1] as number
  return letter >= 0x41 && letter <= 0x48 && (after === 0x2e || after === 0x3001 || after === 0xff0e || after === 0x29)
}

/** Recognises lines of source code, commands, configuration and markup, with and without a fence around them. */
import { isIdeograph, isLatin } from './characters.js'

/** Longest line that may be code, in code units; minified scripts are not worth keeping. */
const codeLineCharsMax = 400
/** Least share of ASCII in a line of code before its comment, in percent. */
const asciiPercentMin = 60

/** Words that start a line of code, when a blank, a bracket or a colon follows. */
const openings = new Set(
  (
    'const let var function def class import from return if for while else elif switch case try except catch finally with ' +
    'public private protected static void int float double char bool string struct enum interface package namespace using ' +
    'print printf echo export async await yield lambda fn func pub impl match use require include define ifdef endif ' +
    'select insert update delete create alter drop where group order limit join ' +
    'sudo apt apt-get yum brew npm npx yarn pip pip3 conda git docker kubectl cd ls mkdir chmod chown curl wget ssh scp tar ' +
    'make cmake gcc python python3 node java javac go cargo FROM RUN COPY ADD CMD ENTRYPOINT WORKDIR ENV EXPOSE'
  ).split(' '),
)
const openingCharsMax = 12

/** The lines of a clean text. */
export interface TextLines {
  readonly codes: Uint16Array
  readonly length: number
  readonly lines: number
  readonly lineStart: Int32Array
}

/** Kinds of lines: not code, code, in a fenced block, the fence that opens one. */
export const CodeLine = { none: 0, code: 1, fenced: 2, fence: 3 } as const

/** Lines of ASCII, most of them with marks of code, that are code without one line that is code by itself. */
const asciiRunMin = 3
const markedShareMin = 0.6

/** Returns the CodeLine of each line. A line is judged without its indentation. */
export function codeLinesOf(scanned: TextLines): Uint8Array {
  const text = linesOf(scanned)
  const kinds = new Uint8Array(text.lines)
  const ascii = new Uint8Array(text.lines)
  let fence = 0
  for (let line = 0; line < text.lines; line++) {
    const start = firstVisible(text.codes, text.lineStart[line] as number)
    const end = lineEndOf(text, line)
    const mark = fenceAt(text.codes, start)
    if (fence !== 0 || mark !== 0) {
      kinds[line] = fence === 0 ? CodeLine.fence : CodeLine.fenced
      if (fence === 0) fence = mark
      else if (mark === fence) fence = 0
    } else if (isLatex(text.codes, start)) continue
    else if (isCodeLine(text.codes, start, end)) kinds[line] = CodeLine.code
    else if (isAsciiLine(text.codes, start, end) || isCommentLine(text.codes, start, end)) ascii[line] = 1
  }
  markRuns(text, kinds, ascii)
  return kinds
}

/** Lines of ASCII and comments are code next to code, and in a run of lines with marks of code. */
function markRuns(text: TextLines, kinds: Uint8Array, ascii: Uint8Array): void {
  for (let first = 0; first < text.lines; ) {
    let [last, marked] = [first, 0]
    for (; last < text.lines && ascii[last] === 1; last++) {
      if (hasConfigMark(text.codes, text.lineStart[last] as number, lineEndOf(text, last))) marked++
    }
    const count = last - first
    const touches = count > 0 && (kinds[first - 1] === CodeLine.code || kinds[last] === CodeLine.code)
    if (touches || (count >= asciiRunMin && marked >= markedShareMin * count)) kinds.fill(CodeLine.code, first, last)
    first = Math.max(last, first + 1)
  }
}

/** A colon or an equals sign behind a word, a bracket, a slash in a word, or a dash before one; and no full stop at the end. */
function hasConfigMark(codes: Uint16Array, start: number, end: number): boolean {
  if (codes[end - 1] === 0x2e) return false
  for (let at = start; at < end; at++) {
    const code = codes[at] as number
    if (code === 0x3d || code === 0x7b || code === 0x7d || code === 0x5b || code === 0x3c || code === 0x24) return true
    const next = at + 1 < end ? (codes[at + 1] as number) : 0
    if (code === 0x3a && at > start && (next === 0 || next === 0x20)) return true
    if (code === 0x2f && at > start && isLatin(next)) return true
    if (code === 0x2d && (at === start || codes[at - 1] === 0x20) && next > 0x20) return true
  }
  return false
}

/** Returns the lines as they are now: a scanned text looks its columns up in the memory at each use. */
export function linesOf({ codes, length, lines, lineStart }: TextLines): TextLines {
  return { codes, length, lines, lineStart }
}

/** Position after the last visible code unit of a line. */
export function lineEndOf({ codes, length, lines, lineStart }: TextLines, line: number): number {
  let end = line + 1 < lines ? (lineStart[line + 1] as number) : length
  while (end > 0 && isBlank(codes[end - 1] as number)) end--
  return end
}

/** Position after the blanks at the start of a line. */
export function firstVisible(codes: Uint16Array, start: number): number {
  let at = start
  while (isBlank(codes[at] as number)) at++
  return at
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x09 || code === 0x3000
}

/** Returns the character of which a line is a fence; 0 if it is none. */
function fenceAt(codes: Uint16Array, at: number): number {
  const mark = codes[at] as number
  return (mark === 0x60 || mark === 0x7e) && codes[at + 1] === mark && codes[at + 2] === mark ? mark : 0
}

/** A dollar before a blank is the prompt of a shell. */
function isLatex(codes: Uint16Array, start: number): boolean {
  return codes[start] === 0x5c || (codes[start] === 0x24 && codes[start + 1] !== 0x20)
}

/** Whether codes[start … end) is a line of code by itself: by its opening word, its last mark, or its operators. */
function isCodeLine(codes: Uint16Array, start: number, end: number): boolean {
  if (end - start < 2 || end - start > codeLineCharsMax) return false
  if (!mayBeCode(codes, start, end)) return false
  const stop = commentStart(codes, start, end)
  let [ascii, letters, others, marks, operators] = [0, 0, 0, 0, 0]
  for (let at = start; at < stop; at++) {
    const code = codes[at] as number
    if (code <= 0x20 || code === 0x3000) continue
    if (code >= 0x7f) {
      others++
      continue
    }
    ascii++
    if (isLatin(code)) letters++
    if (isCodeMark(code)) {
      marks++
      if (isOperator(codes, at, stop)) operators++
    }
  }
  // Rules of dashes and of equals signs have no letters.
  if (6 * letters < ascii || 100 * ascii < asciiPercentMin * (ascii + others)) return false
  const last = lastVisible(codes, start, stop)
  if (operators > 0) return true
  if (last === 0x7b || last === 0x7d || last === 0x3b) return marks > 1 || isLatin(codes[start] as number)
  return marks > 0 && opensCode(codes, start, stop)
}

/** Whether the line has a letter and a mark of code: most lines of prose have not, and are rejected by this. */
function mayBeCode(codes: Uint16Array, start: number, end: number): boolean {
  let hasLetter = false
  let hasMark = false
  for (let at = start; at < end; at++) {
    const code = codes[at] as number
    if (code >= 0x7f) continue
    if (isLatin(code)) hasLetter = true
    else if (isCodeMark(code)) hasMark = true
    if (hasLetter && hasMark) return true
  }
  return false
}

/** Whether codes[start … end) starts with the mark of a comment. */
function isCommentLine(codes: Uint16Array, start: number, end: number): boolean {
  if (end - start < 2) return false
  const [first, second] = [codes[start], codes[start + 1]]
  return (
    (first === 0x2f && (second === 0x2f || second === 0x2a)) ||
    (first === 0x23 && second === 0x20) ||
    (first === 0x2d && second === 0x2d)
  )
}

/** Whether codes[start … end) is visible and has ASCII only. */
function isAsciiLine(codes: Uint16Array, start: number, end: number): boolean {
  if (end - start > codeLineCharsMax) return false
  for (let at = start; at < end; at++) {
    const code = codes[at] as number
    if (code > 0x7e && code !== 0x3000) return false
  }
  return end > start
}

/** Where `//`, `#` after a blank, or `--` starts a comment with Han in it; `end` if there is none. */
function commentStart(codes: Uint16Array, start: number, end: number): number {
  let last = end - 1
  while (last > start && !isIdeograph(codes[last] as number)) last--
  for (let at = start; at < last; at++) {
    const code = codes[at] as number
    const next = codes[at + 1] as number
    const slashes = code === 0x2f && (next === 0x2f || next === 0x2a) && codes[at - 1] !== 0x3a
    const hash = code === 0x23 && (at === start || codes[at - 1] === 0x20)
    const dashes = code === 0x2d && next === 0x2d && codes[at + 2] === 0x20
    if ((slashes || hash || dashes) && at > start) return at
  }
  return end
}

function lastVisible(codes: Uint16Array, start: number, end: number): number {
  let at = end - 1
  while (at > start && (codes[at] as number) <= 0x20) at--
  return codes[at] as number
}

/** 1 for each ASCII character that is a mark of code. */
const codeMarks = new Uint8Array(128)
for (const mark of '{}()[];=<>+*/_&|"\'$#:.-!@%\\`') codeMarks[mark.charCodeAt(0)] = 1

/** @param code ASCII */
function isCodeMark(code: number): boolean {
  return codeMarks[code] === 1
}

/** 1 for each pair of marks that prose does not have. */
const operatorPairs = new Uint8Array(128 * 128)
for (const pair of [
  '=>',
  '->',
  '::',
  '()',
  '==',
  '!=',
  ':=',
  '&&',
  '||',
  '</',
  '/>',
  '+=',
  '-=',
  '++',
  '<?',
  '?>',
  '){',
  ');',
  '};',
  '")',
  "')",
]) {
  operatorPairs[pair.charCodeAt(0) * 128 + pair.charCodeAt(1)] = 1
}

function isOperator(codes: Uint16Array, at: number, end: number): boolean {
  if (at + 1 >= end) return false
  // `-->` separates times and closes comments.
  if (codes[at] === 0x2d && codes[at - 1] === 0x2d) return false
  const pair = (codes[at] as number) * 128 + (codes[at + 1] as number)
  return pair < operatorPairs.length && operatorPairs[pair] === 1
}

function opensCode(codes: Uint16Array, start: number, end: number): boolean {
  let at = start
  while (at < end && (codes[at] as number) <= 0x20) at++
  if (codes[at] === 0x23 || codes[at] === 0x40 || codes[at] === 0x24) at++
  while (at < end && codes[at] === 0x20) at++
  const from = at
  while (at < end && at - from <= openingCharsMax && isWordCode(codes[at] as number)) at++
  // No string for a word that no opening begins as: most lines of most texts.
  if (at === from || at - from > openingCharsMax || !mayOpen(codes[from] as number)) return false
  const word = String.fromCharCode(...codes.subarray(from, at))
  return openings.has(word) || openings.has(word.toLowerCase())
}

function isWordCode(code: number): boolean {
  return isLatin(code) || code === 0x2d || (code >= 0x30 && code <= 0x39)
}

/** Whether an opening begins with a character, or with its small letter. */
function mayOpen(code: number): boolean {
  return code < 0x80 && openingStarts[code] === 1
}

const openingStarts = new Uint8Array(128)
for (const word of openings) {
  openingStarts[word.charCodeAt(0)] = openingStarts[word.toUpperCase().charCodeAt(0)] = 1
}

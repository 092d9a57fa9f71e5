/**
 * Finds the parts of a clean text that are not prose: code, mathematics, links. Shares of characters are measured without
 * them. Han characters in them still count as prose: comments in code, words in a formula.
 *
 * One walk from left to right over the lines. A closing mark is searched for once per stretch without it, so that the walk
 * is linear in the length of the text.
 */
import { CharacterClass, isLatin } from './characters.js'
import { CodeLine, codeLinesOf, lineEndOf, linesOf, type TextLines } from './code-lines.js'
import { growArray } from './grow-array.js'
import { linkEnd, schemeChars } from './links.js'

export const AsideKind = { code: 0, math: 1, link: 2 } as const

/** Ranges codes[start[i] … end[i]) in order, without overlap. */
export interface Asides {
  readonly count: number
  readonly start: Int32Array
  readonly end: Int32Array
  /** AsideKind of each range. */
  readonly kind: Uint8Array
}

/** Growable list of ranges, reused for every text. */
export class AsideList implements Asides {
  count = 0
  start = new Int32Array(16)
  end = new Int32Array(16)
  kind = new Uint8Array(16)

  clear(): void {
    this.count = 0
  }

  add(start: number, end: number, kind: number): void {
    if (start >= end) return
    if (this.count === this.start.length) {
      this.start = growArray(this.start, 2 * this.count)
      this.end = growArray(this.end, 2 * this.count)
      this.kind = growArray(this.kind, 2 * this.count)
    }
    this.start[this.count] = start
    this.end[this.count] = end
    this.kind[this.count++] = kind
  }
}

const backtick = 0x60
const dollar = 0x24
const backslash = 0x5c
const space = 0x20
/** Longest inline formula or code, in code units. */
const inlineCharsMax = 400
/** Longest displayed formula, in code units. */
const blockCharsMax = 20_000

/** Finds the asides of a clean text. @param classes of the code units of a clean text */
export function findAsides(text: TextLines, classes: Uint8Array, asides: AsideList): void {
  asides.clear()
  new AsideWalk(text, classes, asides).walk()
}

class AsideWalk {
  readonly #codes: Uint16Array
  readonly #length: number
  readonly #text: TextLines
  /** Flags of each code unit. */
  readonly #flags: Uint8Array
  readonly #asides: AsideList
  /** Where the last search for each ClosingMark started, and what it found. */
  readonly #searchedFrom = new Int32Array(closingMarks.length).fill(-1)
  readonly #found = new Int32Array(closingMarks.length)

  constructor(text: TextLines, classes: Uint8Array, asides: AsideList) {
    this.#text = linesOf(text)
    this.#codes = text.codes.subarray(0, text.length)
    this.#length = text.length
    this.#flags = flagsOf(classes)
    this.#asides = asides
  }

  walk(): void {
    const { lines, lineStart } = this.#text
    const kinds = codeLinesOf(this.#text)
    let at = 0
    for (let line = 0; line < lines; line++) {
      const start = lineStart[line] as number
      if (start < at) continue
      if (kinds[line] === CodeLine.fence) {
        let last = line
        while (kinds[last + 1] === CodeLine.fenced) last++
        at = lineEndOf(this.#text, last)
      } else if (kinds[line] === CodeLine.code) at = lineEndOf(this.#text, line)
      else {
        at = this.#inline(start, lineEndOf(this.#text, line))
        continue
      }
      this.#asides.add(start, at, AsideKind.code)
    }
  }

  /** Finds the asides that start in a line of prose; returns the end of the line, or of an aside that exceeds it. */
  #inline(start: number, end: number): number {
    let at = start
    while (at < end) {
      const code = this.#codes[at] as number
      if (!this.#isForeign(code)) {
        at++
        continue
      }
      const enclosed = this.#enclosedEnd(at, code, end)
      if (enclosed > at) {
        this.#asides.add(at, enclosed, code === backtick ? AsideKind.code : AsideKind.math)
        at = enclosed
      } else at = this.#run(at, end)
    }
    return at
  }

  /** Whether a code unit may belong to code, to a formula or to a link. */
  #isForeign(code: number): boolean {
    return ((this.#flags[code] as number) & Flag.foreign) !== 0
  }

  /** Returns the end of a formula or of code between marks; `at` if there is none. */
  #enclosedEnd(at: number, code: number, lineEnd: number): number {
    const next = this.#codes[at + 1] as number
    if (code === backtick) return this.#inlineEnd(at, ClosingMark.backtick, 1, lineEnd)
    if (code === dollar) return next === dollar ? this.#blockEnd(at, ClosingMark.dollars) : this.#dollarEnd(at, lineEnd)
    if (code !== backslash) return at
    if (next === 0x28) return this.#inlineEnd(at, ClosingMark.bracket, 2, lineEnd)
    if (next === 0x5b) return this.#blockEnd(at, ClosingMark.squareBracket)
    return next === 0x62 && this.#startsWith(at, '\\begin{') ? this.#environmentEnd(at) : at
  }

  /** As in Pandoc: `$` is followed, and the closing one preceded, by no blank, and no digit follows: prices do not pair. */
  #dollarEnd(at: number, lineEnd: number): number {
    if (this.#codes[at + 1] === space) return at
    const end = this.#inlineEnd(at, ClosingMark.dollar, 1, lineEnd)
    if (end < at + 3 || this.#codes[end - 2] === space) return at
    const after = this.#codes[end] as number
    return after >= 0x30 && after <= 0x39 ? at : end
  }

  #inlineEnd(at: number, mark: ClosingMark, opening: number, lineEnd: number): number {
    const found = this.#search(mark, at + opening)
    if (found < 0 || found - at > inlineCharsMax || found >= lineEnd) return at
    return found + (closingMarks[mark] as string).length
  }

  #blockEnd(at: number, mark: ClosingMark): number {
    const found = this.#search(mark, at + 2)
    return found < 0 || found - at > blockCharsMax ? at : found + 2
  }

  /** The end of `\end{…}`, whose braces hold at most a name. */
  #environmentEnd(at: number): number {
    const found = this.#search(ClosingMark.environment, at)
    if (found < 0 || found - at > blockCharsMax) return at
    let end = found
    while (end < this.#length && end - found < environmentCharsMax && this.#codes[end] !== 0x7d) end++
    return this.#codes[end] === 0x7d ? end + 1 : at
  }

  /** Examines the code units up to the next Han character, wide punctuation mark or opening mark; returns their end. */
  #run(start: number, lineEnd: number): number {
    const [codes, flags] = [this.#codes, this.#flags]
    let end = start
    let linkedUntil = start
    for (; end < lineEnd; end++) {
      const code = codes[end] as number
      const flag = flags[code] as number
      if ((flag & Flag.opening) !== 0 && end > start) break
      if ((flag & Flag.foreign) === 0 && code !== space) break
      if ((flag & Flag.link) === 0) continue
      const linkEndAt = linkEnd(codes, end)
      if (linkEndAt === end) continue
      const linkStart = code === 0x3a ? schemeStart(codes, linkedUntil, end) : end
      this.#foreign(linkedUntil, linkStart)
      linkedUntil = Math.min(linkEndAt, lineEnd)
      this.#asides.add(linkStart, linkedUntil, AsideKind.link)
      end = linkedUntil - 1
    }
    this.#foreign(linkedUntil, end)
    return Math.max(end, start + 1)
  }

  /** Adds a stretch without Han if it is a formula or code. */
  #foreign(from: number, to: number): void {
    const codes = this.#codes
    let [start, end] = [from, to]
    while (start < end && codes[start] === space) start++
    while (end > start && codes[end - 1] === space) end--
    if (end - start < 2) return
    if (isFormula(codes, start, end, this.#flags)) this.#asides.add(start, end, AsideKind.math)
    else if (isInlineCode(codes, start, end, this.#flags)) this.#asides.add(start, end, AsideKind.code)
  }

  #startsWith(at: number, text: string): boolean {
    for (let index = 0; index < text.length; index++) {
      if (this.#codes[at + index] !== text.charCodeAt(index)) return false
    }
    return true
  }

  /** Returns the first place of `mark` at or after `from`; −1 if there is none. */
  #search(mark: ClosingMark, from: number): number {
    const [last, before] = [this.#searchedFrom[mark] as number, this.#found[mark] as number]
    if (last >= 0 && last <= from && (before < 0 || before >= from)) return before
    const text = closingMarks[mark] as string
    const first = text.charCodeAt(0)
    let found = this.#indexOf(first, from)
    while (found >= 0 && !this.#startsWith(found, text)) found = this.#indexOf(first, found + 1)
    this.#searchedFrom[mark] = from
    this.#found[mark] = found
    return found
  }

  /** Marks are often near, where a loop is faster than a call. */
  #indexOf(code: number, from: number): number {
    const codes = this.#codes
    const near = Math.min(from + nearChars, this.#length)
    for (let at = from; at < near; at++) if (codes[at] === code) return at
    return near === this.#length ? -1 : codes.indexOf(code, near)
  }
}

const nearChars = 32

/** Marks that close a formula or code. */
const ClosingMark = { backtick: 0, dollars: 1, dollar: 2, bracket: 3, squareBracket: 4, environment: 5 } as const
type ClosingMark = (typeof ClosingMark)[keyof typeof ClosingMark]
const closingMarks = ['`', '$$', '$', '\\)', '\\]', '\\end{']

/** Longest name of a LaTeX environment with its command, in code units. */
const environmentCharsMax = 40

/** Returns where the scheme before a colon starts, at most `schemeChars` + 1 letters before it. */
function schemeStart(codes: Uint16Array, least: number, colon: number): number {
  let start = colon
  while (start > least && colon - start <= schemeChars && isLatin(codes[start - 1] as number)) start--
  return start
}

const relations = '=<>≤≥≠≈≡∝∈∉⊂⊆⊇∪∩∧∨⇒⇔→±√∑∏∫∂∞∇∠⊥∥△°'
const operators = '+-*/^×÷·−'

/** What a code unit may be to the walk. */
const Flag = {
  /** Part of code, of a formula or of a link. */
  foreign: 1,
  /** Starts a formula or code. */
  opening: 2,
  /** Of the start of a link: a colon, or a w. */
  link: 4,
  /** Of a formula: letters, digits and brackets; relations; operators; superscripts and subscripts. */
  operand: 8,
  relation: 16,
  operator: 32,
  script: 64,
  /** A mark inside words of code. */
  inWord: 128,
} as const

/** Tables of flags by the table of classes from which they were made. */
const flagTables = new WeakMap<Uint8Array, Uint8Array>()

function flagsOf(classes: Uint8Array): Uint8Array {
  const known = flagTables.get(classes)
  if (known !== undefined) return known
  const flags = classes.map(flagsOfCode)
  const add = (characters: string, flag: number) => {
    for (const character of characters) {
      const code = character.charCodeAt(0)
      flags[code] = (flags[code] as number) | flag
    }
  }
  add('`$\\', Flag.opening)
  add(':wW', Flag.link)
  add('()', Flag.operand)
  add(relations, Flag.relation)
  add(operators, Flag.operator)
  add('(_.=/-|', Flag.inWord)
  flagTables.set(classes, flags)
  return flags
}

function flagsOfCode(kind: number, code: number): number {
  const isOtherLetter = kind === CharacterClass.otherLetter
  const isForeign =
    code < 0x7f ? code > space : kind === CharacterClass.symbol || (isOtherLetter && code < otherLettersEnd)
  const isWord = kind === CharacterClass.latin || kind === CharacterClass.letterW || kind === CharacterClass.digit
  const script = isScript(code) ? Flag.script | Flag.operand : 0
  return (isForeign ? Flag.foreign : 0) | (isWord || isOtherLetter ? Flag.operand : 0) | script
}

/** Letters of other scripts from here on are those of East Asia. */
const otherLettersEnd = 0x2e80

function isFormula(codes: Uint16Array, start: number, end: number, flags: Uint8Array): boolean {
  let marks = 0
  let operands = 0
  for (let at = start; at < end; at++) {
    const code = codes[at] as number
    const flag = flags[code] as number
    if ((flag & (Flag.operand | Flag.relation | Flag.operator)) === 0) continue
    if ((flag & Flag.operand) !== 0) {
      operands++
      if ((flag & Flag.script) !== 0) marks++
    } else if ((flag & Flag.relation) !== 0) {
      // Arrows of ASCII are code or decoration.
      const before = at > 0 ? (codes[at - 1] as number) : 0
      const arrow = code === 0x3e && (before === 0x2d || before === 0x3d)
      if (!arrow && before !== code && (at + 1 >= codes.length || codes[at + 1] !== code)) marks++
    } else if ((code === 0x2b || code === 0x5e || code > 0x7f) && at > start && at + 1 < end) {
      const around = (flags[codes[at - 1] as number] as number) & (flags[codes[at + 1] as number] as number)
      if ((around & Flag.operand) !== 0) marks++
    }
  }
  return marks > 0 && operands > 0 && 12 * marks >= operands
}

/** Superscript and subscript digits and letters. */
function isScript(code: number): boolean {
  return code === 0xb2 || code === 0xb3 || code === 0xb9 || (code >= 0x2070 && code <= 0x209c)
}

/** Whether a stretch of ASCII has marks inside words, as file names, options, calls and paths have. */
function isInlineCode(codes: Uint16Array, start: number, end: number, flags: Uint8Array): boolean {
  let marks = 0
  for (let at = start; at + 1 < end; at++) {
    const code = codes[at] as number
    if (code > 0x7e) return false
    marks |= flags[code] as number
  }
  // A class of a regular expression, or a command of TeX: \d, \alpha.
  if (codes[start] === backslash && isLatin(codes[start + 1] as number)) return true
  // A mark at the end has nothing behind it, but a bar and a bracket need it, and the others a word.
  if ((marks & Flag.inWord) === 0) return false
  for (let at = start + 1; at < end; at++) {
    const code = codes[at] as number
    if (((flags[code] as number) & Flag.inWord) === 0) continue
    const before = codes[at - 1] as number
    const after = at + 1 < end ? (codes[at + 1] as number) : 0
    if (code === 0x28 && isLatin(before) && (after === 0x29 || isLatin(after) || isDigit(after))) return true
    if (code === 0x5f && isWord(before) && isWord(after)) return true
    if ((code === 0x2e || code === 0x3d || code === 0x2f) && isLatin(before) && isWord(after)) return true
    if (code === 0x2d && (before === 0x2d || before === space) && isLatin(after)) return true
    if (code === 0x7c && before === space && after === space) return true
  }
  return false
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

function isWord(code: number): boolean {
  return isLatin(code) || isDigit(code) || code === 0x5f
}

/**
 * Finds the parts of a clean text that are not prose: code, mathematics, links. Shares of characters are measured without
 * them. Han characters in them still count as prose: comments in code, words in a formula.
 *
 * One walk from left to right over the lines. A closing mark is searched for once per stretch without it, so that the walk
 * is linear in the length of the text.
 */
import { CharacterClass, isLatin } from './characters.js'
import { CodeLine, codeLinesOf, lineEndOf, type TextLines } from './code-lines.js'
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
  readonly #classes: Uint8Array
  readonly #asides: AsideList
  /** Result of the last search for each mark, and where it started. */
  readonly #searches = new Map<string, { from: number; found: number }>()

  constructor(text: TextLines, classes: Uint8Array, asides: AsideList) {
    this.#text = text
    this.#codes = text.codes.subarray(0, text.length)
    this.#length = text.length
    this.#classes = classes
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
    if (code < 0x7f) return code > space
    const kind = this.#classes[code] as number
    return kind === CharacterClass.symbol || (kind === CharacterClass.otherLetter && code < 0x2e80)
  }

  /** Returns the end of a formula or of code between marks; `at` if there is none. */
  #enclosedEnd(at: number, code: number, lineEnd: number): number {
    const next = this.#codes[at + 1] as number
    if (code === backtick) return this.#inlineEnd(at, '`', 1, lineEnd)
    if (code === dollar) return next === dollar ? this.#blockEnd(at, '$$') : this.#dollarEnd(at, lineEnd)
    if (code !== backslash) return at
    if (next === 0x28) return this.#inlineEnd(at, '\\)', 2, lineEnd)
    if (next === 0x5b) return this.#blockEnd(at, '\\]')
    return this.#startsWith(at, '\\begin{') ? this.#environmentEnd(at) : at
  }

  /** As in Pandoc: `$` is followed, and the closing one preceded, by no blank, and no digit follows: prices do not pair. */
  #dollarEnd(at: number, lineEnd: number): number {
    if (this.#codes[at + 1] === space) return at
    const end = this.#inlineEnd(at, '$', 1, lineEnd)
    if (end < at + 3 || this.#codes[end - 2] === space) return at
    const after = this.#codes[end] as number
    return after >= 0x30 && after <= 0x39 ? at : end
  }

  #inlineEnd(at: number, mark: string, opening: number, lineEnd: number): number {
    const found = this.#search(mark, at + opening)
    return found < 0 || found - at > inlineCharsMax || found >= lineEnd ? at : found + mark.length
  }

  #blockEnd(at: number, mark: string): number {
    const found = this.#search(mark, at + 2)
    return found < 0 || found - at > blockCharsMax ? at : found + 2
  }

  /** The end of `\end{…}`, whose braces hold at most a name. */
  #environmentEnd(at: number): number {
    const found = this.#search('\\end{', at)
    if (found < 0 || found - at > blockCharsMax) return at
    let end = found
    while (end < this.#length && end - found < environmentCharsMax && this.#codes[end] !== 0x7d) end++
    return this.#codes[end] === 0x7d ? end + 1 : at
  }

  /** Examines the code units up to the next Han character, wide punctuation mark or opening mark; returns their end. */
  #run(start: number, lineEnd: number): number {
    const codes = this.#codes
    let end = start
    let linkedUntil = start
    for (; end < lineEnd; end++) {
      const code = codes[end] as number
      if (end > start && (code === dollar || code === backslash || code === backtick)) break
      if (code !== space && !this.#isForeign(code)) break
      if (code !== 0x3a && code !== 0x77 && code !== 0x57) continue
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
    if (isFormula(codes, start, end, this.#classes)) this.#asides.add(start, end, AsideKind.math)
    else if (isInlineCode(codes, start, end)) this.#asides.add(start, end, AsideKind.code)
  }

  #startsWith(at: number, text: string): boolean {
    for (let index = 0; index < text.length; index++) {
      if (this.#codes[at + index] !== text.charCodeAt(index)) return false
    }
    return true
  }

  /** Returns the first place of `mark` at or after `from`; −1 if there is none. */
  #search(mark: string, from: number): number {
    const last = this.#searches.get(mark)
    if (last !== undefined && last.from <= from && (last.found < 0 || last.found >= from)) return last.found
    const first = mark.charCodeAt(0)
    let found = this.#codes.indexOf(first, from)
    while (found >= 0 && !this.#startsWith(found, mark)) found = this.#codes.indexOf(first, found + 1)
    this.#searches.set(mark, { from, found })
    return found
  }
}

/** Longest name of a LaTeX environment with its command, in code units. */
const environmentCharsMax = 40

/** Returns where the scheme before a colon starts, at most `schemeChars` + 1 letters before it. */
function schemeStart(codes: Uint16Array, least: number, colon: number): number {
  let start = colon
  while (start > least && colon - start <= schemeChars && isLatin(codes[start - 1] as number)) start--
  return start
}

const relations = new Set([...'=<>≤≥≠≈≡∝∈∉⊂⊆⊇∪∩∧∨⇒⇔→±√∑∏∫∂∞∇∠⊥∥△°'].map((mark) => mark.charCodeAt(0)))
const operators = new Set([...'+-*/^×÷·−'].map((mark) => mark.charCodeAt(0)))

function isFormula(codes: Uint16Array, start: number, end: number, classes: Uint8Array): boolean {
  let marks = 0
  let operands = 0
  for (let at = start; at < end; at++) {
    const code = codes[at] as number
    if (isOperand(code, classes)) operands++
    else if (relations.has(code)) {
      // Arrows of ASCII are code or decoration.
      const arrow = code === 0x3e && (codes[at - 1] === 0x2d || codes[at - 1] === 0x3d)
      if (!arrow && codes[at + 1] !== code && codes[at - 1] !== code) marks++
    } else if (operators.has(code) && at > start && at + 1 < end) {
      const joins = isOperand(codes[at - 1] as number, classes) && isOperand(codes[at + 1] as number, classes)
      if (joins && (code === 0x2b || code === 0x5e || code > 0x7f)) marks++
    }
    if (isScript(code)) marks++
  }
  return marks > 0 && operands > 0 && 12 * marks >= operands
}

/** Superscript and subscript digits and letters. */
function isScript(code: number): boolean {
  return code === 0xb2 || code === 0xb3 || code === 0xb9 || (code >= 0x2070 && code <= 0x209c)
}

function isOperand(code: number, classes: Uint8Array): boolean {
  const kind = classes[code]
  return (
    kind === CharacterClass.latin ||
    kind === CharacterClass.letterW ||
    kind === CharacterClass.digit ||
    kind === CharacterClass.otherLetter ||
    isScript(code) ||
    code === 0x28 ||
    code === 0x29
  )
}

/** Whether a stretch of ASCII has marks inside words, as file names, options, calls and paths have. */
function isInlineCode(codes: Uint16Array, start: number, end: number): boolean {
  for (let at = start; at + 1 < end; at++) {
    const code = codes[at] as number
    if (code > 0x7e) return false
  }
  // A class of a regular expression, or a command of TeX: \d, \alpha.
  if (codes[start] === backslash && isLatin(codes[start + 1] as number)) return true
  for (let at = start + 1; at < end; at++) {
    const code = codes[at] as number
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

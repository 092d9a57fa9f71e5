/**
 * One pass over the code units of a text: removes and replaces characters, finds the ends of lines and sentences, counts
 * characters by class. The result is documented in clean.ts, the classes in characters.ts.
 */
import { Buffer } from 'node:buffer'
import { endsWithAbbreviation } from './abbreviations.js'
import { continuesSentence } from './boundaries.js'
import {
  astralMayCompose,
  CharacterClass,
  type CharacterTables,
  classCounts,
  isIdeographHigh,
  isLatin,
  isLowSurrogate,
} from './characters.js'
import { growArray } from './grow-array.js'
import { linkEnd, schemeChars } from './links.js'
import type { TextMemory } from './text-memory.js'
import { centiTokensByClass, hanCentiTokens } from './tokens.js'
import { UnitEnd, UnitList } from './units.js'

/**
 * Scans one text at a time, in the thread's text memory.
 *
 * It takes two steps, because most code units are Han and a mispredicted branch costs more than ten of them: first the
 * kernel counts letters, digits and marks that end nothing and lists the positions of all others, without a branch; then only
 * those are visited. Unchanged stretches are copied together: `shift` is output position minus input position, `copied` the input position up to which output is written.
 */
export class TextScanner {
  length = 0
  readonly units = new UnitList()
  lines = 0
  lineStart = new Int32Array(64)
  readonly counts = classCounts()
  urlChars = 0
  /** Input position of the first visible code unit of each line. */
  lineFrom = new Int32Array(64)
  /** Lines before which blanks were removed. */
  indents = 0
  /** Whether the text may contain markup (markup.ts). */
  hasMarkupCue = false

  /** Ends in a 0, which continues nothing, so that looking ahead needs no bounds check. */
  #source = new Uint16Array(0)
  #sourceLength = 0
  #classes: Uint8Array
  #shift = 0
  #copied = 0
  /** Input position up to which a step has processed more than its own code unit. */
  #done = 0
  /** Bytes by which UTF-8 is shorter than 3 bytes per code unit: of what was visited, and of what the kernel counted. */
  #saved = 0
  #countedSaved = 0
  /** Hundredths of a token more than as many Han characters would take, in the same way. */
  #extra = 0
  #countedExtra = 0
  /** Output position of the start of the current line. */
  #lineOpen = 0
  /** Output and input position of its first visible code unit. */
  #lineText = 0
  #lineFrom = 0
  /** Lines whose blanks at the start are kept; null if there are none. */
  #indented: Uint8Array | null = null
  #quoteOpen = false
  /** The sentence has ended, but closing marks may follow. */
  #ended = false
  /** Input position of the end of the last URL. */
  #urlEnd = 0

  readonly #memory: TextMemory
  readonly #tables: CharacterTables
  /** View of what the kernel counted; growing the memory detaches it. */
  #counted = new Int32Array(0)

  constructor(memory: TextMemory, tables: CharacterTables) {
    this.#memory = memory
    this.#tables = tables
    this.#classes = tables.classes
    memory.setTables(withCounted(tables.classes), withCounted(tables.settledClasses), countedExtras())
  }

  get codes(): Uint16Array {
    return this.#memory.codes.view
  }

  open(text: string | Uint16Array, classes: Uint8Array): void {
    const { length } = text
    this.#memory.reserveText(length + lookAhead)
    this.#source = this.#memory.source.view
    if (typeof text === 'string') Buffer.from(this.#source.buffer).write(text, this.#memory.source.base, 'utf16le')
    else this.#source.set(text)
    this.#source[length] = 0
    this.#sourceLength = length
    this.#classes = classes
    this.#reset(null)
  }

  #reset(indented: Uint8Array | null): void {
    this.counts.fill(0)
    this.length = this.lines = this.urlChars = this.indents = 0
    this.#shift = this.#copied = this.#done = this.#saved = this.#extra = this.#urlEnd = 0
    this.#countedSaved = this.#countedExtra = 0
    this.#lineOpen = this.#lineText = this.#lineFrom = 0
    this.#quoteOpen = this.#ended = this.hasMarkupCue = false
    this.#indented = indented
    this.units.clear()
  }

  /** The code units of the text that was opened; `scan` has made its blanks and line ends uniform. */
  get source(): Uint16Array {
    return this.#source.subarray(0, this.#sourceLength)
  }

  /** Scans the same text again. @param indented lines whose blanks at the start are kept, by number */
  scanIndented(indented: Uint8Array): void {
    this.#reset(indented)
    this.scan()
  }

  /** Scans the text. Returns false if it must be composed first. */
  scan(): boolean {
    const count = this.#mark()
    const [source, classes] = [this.#source, this.#classes]
    const { marks, hits, sums } = this.#memory
    const [places, extras, saved] = [marks.view, hits.view, sums.view]
    for (let index = 0; index < count; index++) {
      const at = places[index] as number
      if (at < this.#done) continue
      const code = source[at] as number
      this.#countedExtra = extras[index] as number
      this.#countedSaved = saved[index] as number
      if (!this.#step(at, code, classes[code] as number)) return false
    }
    this.#readTotals()
    this.#flush(this.#sourceLength)
    this.length = this.#sourceLength + this.#shift
    if (this.length > this.#lineOpen) this.#endLine(this.length, 1)
    return true
  }

  #mark(): number {
    const { kernel, source, marks, hits, sums } = this.#memory
    const { classesBase, settledClassesBase } = kernel
    const table = this.#classes === this.#tables.classes ? classesBase : settledClassesBase
    return kernel.mark(source.base, this.#sourceLength, table.value, marks.base, hits.base, sums.base)
  }

  /** Adds what the kernel counted in the whole text. */
  #readTotals(): void {
    const { counts } = this
    const { countsBase } = this.#memory.kernel
    if (this.#counted.length === 0) {
      this.#counted = new Int32Array(this.#memory.buffer, countsBase.value, kernelCounts + 2)
    }
    const counted = this.#counted
    for (let kind = 0; kind < counts.length; kind++) (counts[kind] as number) += counted[kind] as number
    this.#countedExtra = counted[kernelCounts] as number
    this.#countedSaved = counted[kernelCounts + 1] as number
  }

  /** Processes a code unit other than Han. Returns false if the text must be composed first. */
  #step(at: number, code: number, kind: number): boolean {
    switch (kind) {
      case CharacterClass.dropped:
      case CharacterClass.lowSurrogate:
        this.#drop(at, at + 1)
        break
      case CharacterClass.blank:
        this.#blanks(at)
        break
      case CharacterClass.newline:
        this.#newlines(at)
        break
      case CharacterClass.composed:
        return false
      case CharacterClass.highSurrogate:
        return this.#pair(at, code)
      case CharacterClass.replaced: {
        const replacement = this.#tables.replacements[code] as number
        this.#source[at] = replacement
        this.#keep(at, replacement, this.#classes[replacement] as number)
        break
      }
      case CharacterClass.dot:
        this.#keep(at, code, this.#isFullStop(at) ? CharacterClass.sentenceEnd : kind)
        break
      default:
        if (kind === CharacterClass.quote) this.#quoteOpen = !this.#quoteOpen
        else if (kind === CharacterClass.colon || kind === CharacterClass.letterW) this.#link(at)
        else if (kind === CharacterClass.asciiPunctuation || kind === CharacterClass.closer) this.#markupCue(at, code)
        this.#keep(at, code, kind)
    }
    return true
  }

  #keep(at: number, code: number, kind: number): void {
    if (kind === CharacterClass.han) return
    ;(this.counts[kind] as number)++
    this.#extra += (centiTokensByClass[kind] as number) - hanCentiTokens
    if (code < 0x80) this.#saved += 2
    else if (code < 0x800) this.#saved++
    if (kind === CharacterClass.sentenceEnd || (kind === CharacterClass.closer && this.#isBrokenOff(at)))
      this.#ended = true
    else if (!this.#ended || (kind !== CharacterClass.closer && kind !== CharacterClass.quote)) return
    const nextCode = this.#source[at + 1] as number
    const next = this.#classes[nextCode]
    if (continuesSentence(nextCode) && next !== CharacterClass.closer) {
      this.#ended = false
      return
    }
    const continues =
      next === CharacterClass.sentenceEnd ||
      next === CharacterClass.closer ||
      (next === CharacterClass.quote && this.#quoteOpen)
    if (continues) return
    this.#ended = false
    this.#endUnit(at + 1 + this.#shift, UnitEnd.sentence)
  }

  /** Removes input [from … to). */
  #drop(from: number, to: number): void {
    this.#flush(from)
    this.#copied = to
    this.#shift -= to - from
  }

  /** Copies the input up to `to` that is not copied or removed yet. */
  #flush(to: number): void {
    const [source, copied, shift] = [this.#source, this.#copied, this.#shift]
    const codes = this.#memory.codes.view
    if (to - copied > shortStretch) codes.set(source.subarray(copied, to), copied + shift)
    else for (let at = copied; at < to; at++) codes[at + shift] = source[at] as number
    this.#copied = to
  }

  #blanks(at: number): void {
    const [source, classes, sourceLength] = [this.#source, this.#classes, this.#sourceLength]
    let end = at + 1
    while (end < sourceLength && this.#isGap(end)) end++
    this.#done = end
    const atLineEnd = end >= sourceLength || classes[source[end] as number] === CharacterClass.newline
    const atLineStart = at + this.#shift === this.#lineOpen
    if (atLineStart && !atLineEnd) {
      this.#indent(at, end)
      return
    }
    if (atLineEnd) {
      this.#drop(at, end)
      return
    }
    source[at] = 0x20
    this.#separate(at, 1, end, CharacterClass.blank)
  }

  #newlines(at: number): void {
    const [source, classes, sourceLength] = [this.#source, this.#classes, this.#sourceLength]
    let ends = 0
    let previous = 0
    let end = at
    let afterLast = at
    for (; end < sourceLength; end++) {
      const code = source[end] as number
      const kind = classes[code] as number
      if (kind === CharacterClass.newline) {
        if (code !== 0x0a || previous !== 0x0d) ends++
        afterLast = end + 1
      } else if (!this.#isGap(end)) break
      // Removed characters do not separate CR from LF; blanks do.
      if (kind <= CharacterClass.newline) previous = code
    }
    this.#done = end
    const nothingBefore = at + this.#shift === this.#lineOpen
    if (!nothingBefore) this.#endLine(at + this.#shift, ends)
    if (nothingBefore || end >= sourceLength) this.#drop(at, afterLast)
    else {
      source[at] = 0x0a
      if (ends > 1) source[at + 1] = 0x0a
      this.#separate(at, ends > 1 ? 2 : 1, afterLast, CharacterClass.newline)
    }
    this.#lineOpen = afterLast + this.#shift
    this.#indent(afterLast, end)
  }

  /** Removes or keeps the blanks of input [from … to) at the start of a line. */
  #indent(from: number, to: number): void {
    if (from < to) {
      this.indents++
      if (this.#indented === null || this.#indented[this.lines] !== 1 || to >= this.#sourceLength) this.#drop(from, to)
      else this.#keepIndent(from, to)
    }
    this.#lineText = to + this.#shift
    this.#lineFrom = to
  }

  #keepIndent(from: number, to: number): void {
    const source = this.#source
    for (let at = from; at < to; at++) {
      const code = source[at] as number
      if (this.#classes[code] !== CharacterClass.blank) {
        this.#drop(at, at + 1)
        continue
      }
      if (code !== 0x09 && code !== 0x3000) source[at] = 0x20
      this.#count(CharacterClass.blank, 1, code === 0x3000 ? 0 : 2)
    }
    this.units.open(to + this.#shift, this.#saved + this.#countedSaved)
  }

  #count(kind: number, count: number, saved: number): void {
    this.counts[kind] = (this.counts[kind] as number) + count
    this.#extra += count * ((centiTokensByClass[kind] as number) - hanCentiTokens)
    this.#saved += saved
  }

  /** Whether the code unit is a blank or is removed. */
  #isGap(at: number): boolean {
    const kind = this.#classes[this.#source[at] as number] as number
    if (kind === CharacterClass.highSurrogate) return !isLowSurrogate(this.#source[at + 1] as number)
    return kind === CharacterClass.blank || kind === CharacterClass.dropped || kind === CharacterClass.lowSurrogate
  }

  /** Keeps `count` blanks or line ends of input [at … end). An open unit that is empty starts after them. */
  #separate(at: number, count: number, end: number, kind: number): void {
    const begun = at + this.#shift > this.units.openAt
    if (end > at + count) this.#drop(at + count, end)
    this.#count(kind, count, 2 * count)
    if (!begun) this.units.open(end + this.#shift, this.#saved + this.#countedSaved)
  }

  #pair(at: number, high: number): boolean {
    if (!isLowSurrogate(this.#source[at + 1] as number)) {
      this.#drop(at, at + 1)
      return true
    }
    if (this.#classes === this.#tables.classes && astralMayCompose(high)) return false
    this.#done = at + 2
    this.#saved += 2
    if (isIdeographHigh(high)) return true
    this.counts[CharacterClass.symbol] = this.counts[CharacterClass.symbol] + 2
    this.#extra += 2 * (centiTokensByClass[CharacterClass.symbol] - hanCentiTokens)
    return true
  }

  /** Counts a URL whose colon (of `scheme://…`) or `www.` is at `at`. */
  #link(at: number): void {
    if (at < this.#urlEnd) return
    const end = linkEnd(this.#source, at)
    if (end === at) return
    this.#urlEnd = end
    this.urlChars += end - at + (this.#source[at] === 0x3a ? Math.min(schemeChars, at) : 0)
  }

  /** Notes marks that start a tag, a reference, an image or a link, or a forum code. */
  #markupCue(at: number, code: number): void {
    const next = this.#source[at + 1] as number
    if (code === 0x3c) this.hasMarkupCue ||= isLatin(next) || next === 0x2f || next === 0x21 || next === 0x3f
    else if (code === 0x26) this.hasMarkupCue ||= isLatin(next) || next === 0x23
    else if (code === 0x5b) this.hasMarkupCue ||= next === 0x2f
    else if (code === 0x5d) this.hasMarkupCue ||= next === 0x28
  }

  /** Whether a dot ends a sentence: after a word of letters and before a blank, not in 3.14, `1. `, or `U. S.` */
  #isFullStop(at: number): boolean {
    const next = this.#classes[this.#source[at + 1] as number]
    const atEnd = at + 1 >= this.#sourceLength
    if (!atEnd && next !== CharacterClass.blank && next !== CharacterClass.newline) return false
    if (at < 2 || !isLatin(this.#source[at - 1] as number) || !isLatin(this.#source[at - 2] as number)) return false
    return !endsWithAbbreviation(this.#source, at)
  }

  /** Whether the closing mark at `at` ends a speech that was broken off: ——” */
  #isBrokenOff(at: number): boolean {
    return this.#source[at - 1] === emDash && this.#source[at - 2] === emDash
  }

  /** @param end output position of the end of the line */
  #endLine(end: number, ends: number): void {
    const start = this.#lineText
    const chars = end - start
    this.#quoteOpen = this.#ended = false
    if (this.lines === this.lineStart.length) {
      this.lineStart = growArray(this.lineStart, 2 * this.lines)
      this.lineFrom = growArray(this.lineFrom, 2 * this.lines)
    }
    this.lineFrom[this.lines] = this.#lineFrom
    this.lineStart[this.lines++] = this.#lineOpen
    const lineIsUnit = this.units.openAt === start
    const last = this.#source[end - this.#shift - 1]
    const announces = last === 0x3a || last === 0xff1a
    if (lineIsUnit && (chars <= headingCharsMax || announces)) this.#endUnit(end, UnitEnd.heading)
    else this.#endUnit(end, ends > 1 ? UnitEnd.blankLine : UnitEnd.line)
  }

  #endUnit(end: number, rank: number): void {
    const tokens = end * hanCentiTokens + this.#extra + this.#countedExtra
    this.units.close(end, rank, tokens, this.#saved + this.#countedSaved)
  }
}

const emDash = 0x2014
/** Longest line without end punctuation that is a heading, which belongs to what follows. */
const headingCharsMax = 30
/** Code units that looking ahead may read beyond the end. */
const lookAhead = 4
/** Stretches up to this many code units are copied faster by a loop than by a call. */
const shortStretch = 32
/** Classes that the kernel has room to count. */
const kernelCounts = 32
/** Set in the tables of the kernel for code units that end nothing and start nothing. */
const countedFlag = 0x80
const { latin, digit, asciiPunctuation, widePunctuation, otherLetter, symbol } = CharacterClass
const countedClasses: ReadonlySet<number> = new Set([
  latin,
  digit,
  asciiPunctuation,
  widePunctuation,
  otherLetter,
  symbol,
])
/** Marks that may start markup. */
const markupMarks = '<&['

/** Returns a table of classes with `countedFlag` for the code units that need no visit. */
function withCounted(classes: Uint8Array): Uint8Array {
  const flagged = Uint8Array.from({ length: kernelCounts }, (_, kind) =>
    countedClasses.has(kind) ? kind | countedFlag : kind,
  )
  const table = classes.slice()
  for (let code = 0; code < table.length; code++) table[code] = flagged[classes[code] as number] as number
  for (const mark of markupMarks) table[mark.charCodeAt(0)] = classes[mark.charCodeAt(0)] as number
  return table
}

function countedExtras(): Int32Array {
  const extras = new Int32Array(256)
  for (const kind of countedClasses) extras[kind | countedFlag] = (centiTokensByClass[kind] as number) - hanCentiTokens
  return extras
}

/**
 * One pass over the code units of one text: what stays, what goes, what is put in place; where lines and sentences end;
 * how many of each class. clean.ts says what the result means, characters.ts what each code unit is.
 */
import { Buffer } from 'node:buffer'
import { boilerplateLineCharsMax, type PhraseFinder } from './boilerplate.js'
import {
  astralMayCompose,
  CharacterClass,
  type CharacterTables,
  characterClassCount,
  isLatin,
  isLowSurrogate,
} from './characters.js'
import { growArray } from './grow-array.js'
import { linkEnd, schemeChars } from './links.js'
import type { TextMemory } from './text-memory.js'
import { centiTokensByClass, hanCentiTokens } from './tokens.js'
import { UnitEnd, UnitList } from './units.js'

/**
 * The text under way; its code units lie in the thread's text memory.
 *
 * Two steps, because most code units are Han and a branch that guesses wrong costs more than ten of them: first the
 * places of all others are noted, without a branch; then those alone are looked at. What stays as it is is copied in
 * stretches: `shift` is how far the output lies behind the input, `copied` is the input that is in the output.
 */
export class Page {
  length = 0
  readonly units = new UnitList()
  lines = 0
  lineStart = new Int32Array(64)
  readonly counts = new Int32Array(characterClassCount)
  urlChars = 0
  boilerplateChars = 0

  /** Ends in a 0, which is nothing that goes on: looking ahead needs no bound. */
  private source = new Uint16Array(0)
  private sourceLength = 0
  private classes: Uint8Array
  private shift = 0
  private copied = 0
  /** Input that a step has dealt with beyond its own place. */
  private done = 0
  private saved = 0
  /** Hundredths of a token beyond what as many Han characters would take. */
  private extra = 0
  private lineOpen = 0
  private quoteOpen = false
  /** The sentence has ended; closers may follow. */
  private ended = false
  private urlEnd = 0

  constructor(
    private readonly memory: TextMemory,
    private readonly tables: CharacterTables,
    private readonly isBoilerplate: PhraseFinder,
  ) {
    this.classes = tables.classes
    memory.setClasses(tables.classes, tables.settledClasses)
  }

  get codes(): Uint16Array {
    return this.memory.codes.view
  }

  open(text: string | Uint16Array, classes: Uint8Array): void {
    const { length } = text
    this.memory.reserveText(length + lookAhead)
    this.source = this.memory.source.view
    if (typeof text === 'string') Buffer.from(this.source.buffer).write(text, this.memory.source.base, 'utf16le')
    else this.source.set(text)
    this.source[length] = 0
    this.sourceLength = length
    this.classes = classes
    this.counts.fill(0)
    this.length = this.lines = this.urlChars = this.boilerplateChars = 0
    this.shift = this.copied = this.done = this.saved = this.extra = this.lineOpen = this.urlEnd = 0
    this.quoteOpen = this.ended = false
    this.units.clear()
  }

  /** @returns false when the text must be composed first */
  scan(): boolean {
    const count = this.mark()
    const { source, classes } = this
    const marks = this.memory.marks.view
    for (let index = 0; index < count; index++) {
      const at = marks[index] as number
      if (at < this.done) continue
      const code = source[at] as number
      const kind = classes[code] as number
      if (kind === CharacterClass.widePunctuation) {
        ;(this.counts[kind] as number)++
        this.extra += wideExtra
        if (code < 0x800) this.saved++
      } else if (!this.step(at, code, kind)) return false
    }
    this.flush(this.sourceLength)
    this.length = this.sourceLength + this.shift
    if (this.length > this.lineOpen) this.endLine(this.length, 1)
    return true
  }

  private mark(): number {
    const { kernel, source, marks } = this.memory
    const { classesBase, settledClassesBase } = kernel
    const table = this.classes === this.tables.classes ? classesBase : settledClassesBase
    return kernel.mark(source.base, this.sourceLength, table.value, marks.base)
  }

  /** One code unit that is not plain Han. */
  private step(at: number, code: number, kind: number): boolean {
    switch (kind) {
      case CharacterClass.dropped:
      case CharacterClass.lowSurrogate:
        this.drop(at, at + 1)
        break
      case CharacterClass.blank:
        this.blanks(at)
        break
      case CharacterClass.newline:
        this.newlines(at)
        break
      case CharacterClass.composed:
        return false
      case CharacterClass.highSurrogate:
        return this.pair(at, code)
      case CharacterClass.replaced: {
        const replacement = this.tables.replacements[code] as number
        this.source[at] = replacement
        this.keep(at, replacement, this.classes[replacement] as number)
        break
      }
      case CharacterClass.dot:
        this.keep(at, code, this.isFullStop(at) ? CharacterClass.sentenceEnd : kind)
        break
      default:
        if (kind === CharacterClass.quote) this.quoteOpen = !this.quoteOpen
        else if (kind === CharacterClass.colon || kind === CharacterClass.letterW) this.link(at)
        this.keep(at, code, kind)
    }
    return true
  }

  private keep(at: number, code: number, kind: number): void {
    if (kind === CharacterClass.han) return
    ;(this.counts[kind] as number)++
    this.extra += (centiTokensByClass[kind] as number) - hanCentiTokens
    if (code < 0x80) this.saved += 2
    else if (code < 0x800) this.saved++
    if (kind === CharacterClass.sentenceEnd) this.ended = true
    else if (!this.ended || (kind !== CharacterClass.closer && kind !== CharacterClass.quote)) return
    const next = this.classes[this.source[at + 1] as number]
    const goesOn =
      next === CharacterClass.sentenceEnd ||
      next === CharacterClass.closer ||
      (next === CharacterClass.quote && this.quoteOpen)
    if (goesOn) return
    this.ended = false
    this.endUnit(at + 1 + this.shift, UnitEnd.sentence)
  }

  /** Leaves input from … to) out of the output. */
  private drop(from: number, to: number): void {
    this.flush(from)
    this.copied = to
    this.shift -= to - from
  }

  /** Copies what is left of the input before `to`. */
  private flush(to: number): void {
    const { source, copied, shift } = this
    const codes = this.memory.codes.view
    if (to - copied > shortStretch) codes.set(source.subarray(copied, to), copied + shift)
    else for (let at = copied; at < to; at++) codes[at + shift] = source[at] as number
    this.copied = to
  }

  private blanks(at: number): void {
    const { source, classes, sourceLength } = this
    let end = at + 1
    while (end < sourceLength && this.isGap(end)) end++
    this.done = end
    const atLineEnd = end >= sourceLength || classes[source[end] as number] === CharacterClass.newline
    if (atLineEnd || at + this.shift === this.lineOpen) {
      this.drop(at, end)
      return
    }
    source[at] = 0x20
    this.separate(at, 1, end, CharacterClass.blank)
  }

  private newlines(at: number): void {
    const { source, classes, sourceLength } = this
    let ends = 0
    let previous = 0
    let end = at
    for (; end < sourceLength; end++) {
      const code = source[end] as number
      const kind = classes[code] as number
      if (kind === CharacterClass.newline) {
        if (code !== 0x0a || previous !== 0x0d) ends++
      } else if (!this.isGap(end)) break
      // Only a blank comes between CR and LF: what is left out does not.
      if (kind <= CharacterClass.newline) previous = code
    }
    this.done = end
    const nothingBefore = at + this.shift === this.lineOpen
    if (!nothingBefore) this.endLine(at + this.shift, ends)
    if (nothingBefore || end >= sourceLength) {
      this.drop(at, end)
      this.lineOpen = end + this.shift
      return
    }
    source[at] = 0x0a
    if (ends > 1) source[at + 1] = 0x0a
    this.separate(at, ends > 1 ? 2 : 1, end, CharacterClass.newline)
    this.lineOpen = end + this.shift
  }

  /** Whether a blank, or something to leave out, stands there. */
  private isGap(at: number): boolean {
    const kind = this.classes[this.source[at] as number] as number
    if (kind === CharacterClass.highSurrogate) return !isLowSurrogate(this.source[at + 1] as number)
    return kind === CharacterClass.blank || kind === CharacterClass.dropped || kind === CharacterClass.lowSurrogate
  }

  /** Keeps `count` blanks or line ends of the input at … end); a unit that has not begun begins after them. */
  private separate(at: number, count: number, end: number, kind: number): void {
    const begun = at + this.shift > this.units.openAt
    if (end > at + count) this.drop(at + count, end)
    this.counts[kind] = (this.counts[kind] as number) + count
    this.extra += count * ((centiTokensByClass[kind] as number) - hanCentiTokens)
    this.saved += 2 * count
    if (!begun) this.units.open(end + this.shift, this.saved)
  }

  private pair(at: number, high: number): boolean {
    if (!isLowSurrogate(this.source[at + 1] as number)) {
      this.drop(at, at + 1)
      return true
    }
    if (this.classes === this.tables.classes && astralMayCompose(high)) return false
    this.done = at + 2
    this.saved += 2
    const ideograph = high >= 0xd840 && high <= 0xd8bf
    if (ideograph) return true
    this.counts[CharacterClass.symbol] = (this.counts[CharacterClass.symbol] as number) + 2
    this.extra += 2 * ((centiTokensByClass[CharacterClass.symbol] as number) - hanCentiTokens)
    return true
  }

  /** Counts a URL that begins here: `scheme://…` seen at its colon, or `www.`. */
  private link(at: number): void {
    if (at < this.urlEnd) return
    const end = linkEnd(this.source, at)
    if (end === at) return
    this.urlEnd = end
    this.urlChars += end - at + (this.source[at] === 0x3a ? Math.min(schemeChars, at) : 0)
  }

  /** A dot ends a sentence after a word of letters and before a blank: not in 3.14, `1. `, or `U. S.` */
  private isFullStop(at: number): boolean {
    const next = this.classes[this.source[at + 1] as number]
    const atEnd = at + 1 >= this.sourceLength
    if (!atEnd && next !== CharacterClass.blank && next !== CharacterClass.newline) return false
    return at > 1 && isLatin(this.source[at - 1] as number) && isLatin(this.source[at - 2] as number)
  }

  /** @param end where the line ends in the output */
  private endLine(end: number, ends: number): void {
    const start = this.lineOpen
    const chars = end - start
    if (chars <= boilerplateLineCharsMax) {
      this.flush(end - this.shift)
      if (this.isBoilerplate(this.codes, start, end)) this.boilerplateChars += chars
    }
    this.quoteOpen = this.ended = false
    if (this.lines === this.lineStart.length) this.lineStart = growArray(this.lineStart, 2 * this.lines)
    this.lineStart[this.lines++] = start
    const lineIsUnit = this.units.openAt === start
    const last = this.source[end - this.shift - 1]
    const announces = last === 0x3a || last === 0xff1a
    if (lineIsUnit && (chars <= headingCharsMax || announces)) this.endUnit(end, UnitEnd.heading)
    else this.endUnit(end, ends > 1 ? UnitEnd.blankLine : UnitEnd.line)
  }

  private endUnit(end: number, rank: number): void {
    this.units.close(end, rank, end * hanCentiTokens + this.extra, this.saved)
  }
}

/** A line without end punctuation and at most this long is a heading: what follows belongs to it. */
const headingCharsMax = 30
/** Code units beyond the end that looking ahead may reach. */
const lookAhead = 4
/** Code units under which a loop copies faster than a call. */
const shortStretch = 32
const wideExtra = (centiTokensByClass[CharacterClass.widePunctuation] as number) - hanCentiTokens

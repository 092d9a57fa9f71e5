/** The scan of a text (lib/text/scanner-kernel/assembly/scan.ts) in plain TypeScript: what the kernel must give. */
import { endsWithAbbreviation } from '../../lib/text/abbreviations.js'
import { continuesSentence } from '../../lib/text/boundaries.js'
import {
  astralMayCompose,
  CharacterClass,
  type CharacterTables,
  classCounts,
  isIdeographHigh,
  isLatin,
  isLowSurrogate,
} from '../../lib/text/characters.js'
import { growArray } from '../../lib/text/grow-array.js'
import { linkEnd, schemeChars } from '../../lib/text/links.js'
import { centiTokensByClass, hanCentiTokens } from '../../lib/text/tokens.js'
import { UnitEnd, type Units } from '../../lib/text/units.js'

/** Scans one text at a time. `shift` is output position minus input position, `copied` the input position up to which output is written. */
export class ReferenceScanner {
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
  /** Bytes by which UTF-8 is shorter than 3 bytes per code unit. */
  #saved = 0
  /** Hundredths of a token more than as many Han characters would take. */
  #extra = 0
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

  readonly #tables: CharacterTables
  #codes = new Uint16Array(0)

  constructor(tables: CharacterTables) {
    this.#tables = tables
    this.#classes = tables.classes
  }

  get codes(): Uint16Array {
    return this.#codes
  }

  open(text: Uint16Array, classes: Uint8Array): void {
    const { length } = text
    this.#source = new Uint16Array(length + lookAhead)
    this.#source.set(text)
    this.#codes = new Uint16Array(length + lookAhead)
    this.#sourceLength = length
    this.#classes = classes
    this.#reset(null)
  }

  #reset(indented: Uint8Array | null): void {
    this.counts.fill(0)
    this.length = this.lines = this.urlChars = this.indents = 0
    this.#shift = this.#copied = this.#done = this.#saved = this.#extra = this.#urlEnd = 0
    this.#lineOpen = this.#lineText = this.#lineFrom = 0
    this.#quoteOpen = this.#ended = this.hasMarkupCue = false
    this.#indented = indented
    this.units.clear()
  }

  /** Scans the same text again. @param indented lines whose blanks at the start are kept, by number */
  scanIndented(indented: Uint8Array): void {
    this.#reset(indented)
    this.scan()
  }

  /** Scans the text. Returns false if it must be composed first. */
  scan(): boolean {
    for (let at = 0; at < this.#sourceLength; at++) {
      if (at < this.#done) continue
      const code = this.#source[at] as number
      const kind = this.#classes[code] as number
      if (kind !== CharacterClass.han && !this.#step(at, code, kind)) return false
    }
    this.#flush(this.#sourceLength)
    this.length = this.#sourceLength + this.#shift
    if (this.length > this.#lineOpen) this.#endLine(this.length, 1)
    return true
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
    for (let at = this.#copied; at < to; at++) this.#codes[at + this.#shift] = this.#source[at] as number
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
    this.units.open(to + this.#shift, this.#saved)
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
    if (!begun) this.units.open(end + this.#shift, this.#saved)
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
    const tokens = end * hanCentiTokens + this.#extra
    this.units.close(end, rank, tokens, this.#saved)
  }
}

const emDash = 0x2014
/** Longest line without end punctuation that is a heading, which belongs to what follows. */
const headingCharsMax = 30
/** Code units that looking ahead may read beyond the end. */
const lookAhead = 4

/** Growable columns of units, reused for every text. The last unit is always open, and not included in `count`. */
class UnitList implements Units {
  count = 0
  start = new Int32Array(initialCapacity)
  end = new Int32Array(initialCapacity)
  rank = new Uint8Array(initialCapacity)
  centiTokens = new Int32Array(initialCapacity)
  savedStart = new Int32Array(initialCapacity)
  savedEnd = new Int32Array(initialCapacity)

  /** Removes all units and opens the first at 0. */
  clear(): void {
    this.count = 0
    this.open(0, 0)
  }

  /** Start of the open unit. */
  get openAt(): number {
    return this.start[this.count] as number
  }

  /** Sets the start of the open unit, which must be empty. @param saved as `savedStart` */
  open(start: number, saved: number): void {
    this.start[this.count] = start
    this.savedStart[this.count] = saved
  }

  /**
   * Closes the open unit and opens the next. If the open one is empty, it stays open, and the previous unit gets `rank`
   * if that is higher.
   *
   * @param saved as `savedEnd`
   */
  close(end: number, rank: number, centiTokens: number, saved: number): void {
    const index = this.count
    if (this.openAt === end) {
      if (index > 0 && rank > (this.rank[index - 1] as number)) this.rank[index - 1] = rank
      return
    }
    this.end[index] = end
    this.rank[index] = rank
    this.centiTokens[index] = centiTokens
    this.savedEnd[index] = saved
    this.count++
    if (this.count === this.start.length) this.#grow()
    this.open(end, saved)
  }

  #grow(): void {
    const capacity = 2 * this.count
    this.start = growArray(this.start, capacity)
    this.end = growArray(this.end, capacity)
    this.rank = growArray(this.rank, capacity)
    this.centiTokens = growArray(this.centiTokens, capacity)
    this.savedStart = growArray(this.savedStart, capacity)
    this.savedEnd = growArray(this.savedEnd, capacity)
  }
}

const initialCapacity = 64

/**
 * Text as people should read it, and all that filters and chunker ask of it, in one pass over its code units:
 * NFC, ordinary letters and digits for full-width ones, invisible characters out, blanks and line ends made one;
 * where sentences and lines end; how many characters of each class. The author's punctuation stays.
 *
 * The result lives in buffers that the next call overwrites.
 */
import { boilerplateLineCharsMax, boilerplatePhrases, type CueTable, cueTable, hasCueAt } from './boilerplate.js'
import {
  astralMayCompose,
  CharacterClass,
  type CharacterTables,
  characterClassCount,
  characterTables,
  composeText,
} from './characters.js'
import { centiTokensByClass, hanCentiTokens } from './tokens.js'

/** What may end at a unit's end: the worth of cutting there, worst first. */
export const UnitEnd = { heading: 0, sentence: 1, line: 2, blankLine: 3 } as const

/** A line without end punctuation and at most this long is a heading: what follows belongs to it. */
export const headingCharsMax = 30

/** Sentences and unended lines, in order; unit i is codes[start[i] … end[i]), no blank at either side. */
export interface Units {
  count: number
  start: Int32Array
  end: Int32Array
  /** A UnitEnd. */
  rank: Uint8Array
  /** Estimated tokens from the text's start to the unit's end, in hundredths. */
  centiTokens: Int32Array
  /** Bytes that UTF-8 takes less than 3 a code unit, from the text's start to the unit's start, and to its end. */
  savedStart: Int32Array
  savedEnd: Int32Array
}

export interface CleanText {
  readonly codes: Uint16Array
  readonly length: number
  readonly units: Units
  /** Lines that hold something, and where each begins. */
  readonly lines: number
  readonly lineStart: Int32Array
  /** Code units of each CharacterClass but `han` and `cue`: those are what is left. */
  readonly counts: Int32Array
  /** Code units inside URLs. */
  readonly urlChars: number
  /** Code units in boilerplate lines. */
  readonly boilerplateChars: number
}

export type Cleaner = (text: string) => CleanText

export function createCleaner(): Cleaner {
  const cues = cueTable(boilerplatePhrases)
  const tables = characterTables(new Set(cues.keys()))
  const page = new Page(tables, cues)
  return (text) => {
    page.open(text, tables.classes)
    if (!page.scan()) {
      page.open(composeText(text), tables.settledClasses)
      page.scan()
    }
    return page
  }
}

/** `text` as the cleaner leaves it; for single texts, tests and tools. */
export function cleanString(cleaner: Cleaner, text: string): string {
  const { codes, length } = cleaner(text)
  return codesToString(codes, 0, length)
}

export function codesToString(codes: Uint16Array, start: number, end: number): string {
  return Buffer.from(codes.buffer, codes.byteOffset, codes.byteLength).toString('utf16le', 2 * start, 2 * end)
}

/** The text under way and the buffers of one thread, grown as texts need. */
class Page implements CleanText {
  codes = new Uint16Array(0)
  length = 0
  readonly units: Units = { count: 0, ...unitArrays(64) }
  lines = 0
  lineStart = new Int32Array(64)
  readonly counts = new Int32Array(characterClassCount)
  urlChars = 0
  boilerplateChars = 0

  /** Ends in a 0, which is no Han: the hot loop needs no other bound. */
  private source = new Uint16Array(0)
  private sourceBytes = Buffer.alloc(0)
  private sourceLength = 0
  private at = 0
  private classes: Uint8Array
  private saved = 0
  /** Hundredths of a token beyond what as many Han characters would take. */
  private extra = 0
  private lineOpen = 0
  private lineHasCue = false
  private quoteOpen = false
  /** The sentence has ended; closers may follow. */
  private ended = false
  private urlEnd = 0

  constructor(
    private readonly tables: CharacterTables,
    private readonly cues: CueTable,
  ) {
    this.classes = tables.classes
  }

  open(text: string, classes: Uint8Array): void {
    if (text.length >= this.source.length) {
      const room = Math.max(4096, 2 ** Math.ceil(Math.log2(text.length + 4)))
      this.source = new Uint16Array(room)
      this.sourceBytes = Buffer.from(this.source.buffer)
      this.codes = new Uint16Array(room)
    }
    this.sourceBytes.write(text, 0, 'utf16le')
    this.source[text.length] = 0
    this.sourceLength = text.length
    this.classes = classes
    this.counts.fill(0)
    this.at = this.length = this.lines = this.urlChars = this.boilerplateChars = 0
    this.saved = this.extra = this.lineOpen = this.urlEnd = 0
    this.lineHasCue = this.quoteOpen = this.ended = false
    this.units.count = 0
    this.openUnit()
  }

  /** @returns false when the text must be composed first */
  scan(): boolean {
    const { source, codes, classes, sourceLength } = this
    let from = 0
    for (;;) {
      let to = this.length
      while (classes[source[from] as number] === 0) codes[to++] = source[from++] as number
      this.length = to
      if (from >= sourceLength) break
      this.at = from
      if (!this.step(source[from] as number)) return false
      from = this.at
    }
    if (this.length > this.lineOpen) this.endLine(1)
    return true
  }

  /** One code unit that is not plain Han. */
  private step(code: number): boolean {
    const kind = this.classes[code] as number
    switch (kind) {
      case CharacterClass.dropped:
      case CharacterClass.lowSurrogate:
        this.at++
        return true
      case CharacterClass.blank:
        this.blanks()
        return true
      case CharacterClass.newline:
        this.newlines()
        return true
      case CharacterClass.composed:
        return false
      case CharacterClass.highSurrogate:
        return this.pair(code)
      case CharacterClass.cue:
        this.lineHasCue ||= hasCueAt(this.cues, this.source, this.at, this.sourceLength)
        this.codes[this.length++] = code
        this.at++
        return true
      case CharacterClass.replaced: {
        const replacement = this.tables.replacements[code] as number
        this.keep(replacement, this.classes[replacement] as number)
        return true
      }
      case CharacterClass.colon:
      case CharacterClass.letterW:
        this.link(kind)
        this.keep(code, kind)
        return true
      case CharacterClass.quote:
        this.quoteOpen = !this.quoteOpen
        this.keep(code, kind)
        return true
      case CharacterClass.dot:
        this.keep(code, this.isFullStop() ? CharacterClass.sentenceEnd : kind)
        return true
      default:
        this.keep(code, kind)
        return true
    }
  }

  private keep(code: number, kind: number): void {
    this.codes[this.length++] = code
    this.at++
    if (kind === CharacterClass.han || kind === CharacterClass.cue) return
    ;(this.counts[kind] as number)++
    this.extra += (centiTokensByClass[kind] as number) - hanCentiTokens
    if (code < 0x80) this.saved += 2
    else if (code < 0x800) this.saved++
    if (kind === CharacterClass.sentenceEnd) this.ended = true
    else if (!this.ended || (kind !== CharacterClass.closer && kind !== CharacterClass.quote)) return
    const next = this.classes[this.source[this.at] as number]
    const goesOn =
      next === CharacterClass.sentenceEnd ||
      next === CharacterClass.closer ||
      (next === CharacterClass.quote && this.quoteOpen)
    if (goesOn) return
    this.ended = false
    this.endUnit(UnitEnd.sentence)
  }

  private blanks(): void {
    const { source, classes, sourceLength } = this
    let at = this.at + 1
    while (isGap(classes[source[at] as number] as number) && at < sourceLength) at++
    this.at = at
    if (at >= sourceLength || classes[source[at] as number] === CharacterClass.newline) return
    if (this.length === this.lineOpen) return
    this.separator(0x20, CharacterClass.blank)
  }

  private newlines(): void {
    const { source, classes, sourceLength } = this
    let ends = 0
    let at = this.at
    for (; at < sourceLength; at++) {
      const code = source[at] as number
      const kind = classes[code] as number
      if (kind === CharacterClass.newline) {
        if (code !== 0x0d || source[at + 1] !== 0x0a) ends++
      } else if (!isGap(kind)) break
    }
    this.at = at
    if (this.length === this.lineOpen) return
    this.endLine(ends)
    if (at >= sourceLength) return
    this.separator(0x0a, CharacterClass.newline)
    if (ends > 1) this.separator(0x0a, CharacterClass.newline)
    this.lineOpen = this.length
  }

  /** A blank or a line end; a unit that has not begun begins after it. */
  private separator(code: number, kind: number): void {
    const begun = this.length > (this.units.start[this.units.count] as number)
    this.codes[this.length++] = code
    ;(this.counts[kind] as number)++
    this.extra += (centiTokensByClass[kind] as number) - hanCentiTokens
    this.saved += 2
    if (!begun) this.openUnit()
  }

  private pair(high: number): boolean {
    const low = this.source[this.at + 1] as number
    this.at++
    if (low < 0xdc00 || low > 0xdfff) return true
    if (this.classes === this.tables.classes && astralMayCompose(high)) return false
    this.at++
    this.codes[this.length++] = high
    this.codes[this.length++] = low
    this.saved += 2
    const ideograph = high >= 0xd840 && high <= 0xd8bf
    if (ideograph) return true
    this.counts[CharacterClass.symbol] = (this.counts[CharacterClass.symbol] as number) + 2
    this.extra += 2 * ((centiTokensByClass[CharacterClass.symbol] as number) - hanCentiTokens)
    return true
  }

  /** Counts a URL that begins here: `scheme://…` seen at its colon, or `www.`. */
  private link(kind: number): void {
    const { source, at } = this
    if (at < this.urlEnd) return
    const begins =
      kind === CharacterClass.colon
        ? source[at + 1] === 0x2f && source[at + 2] === 0x2f
        : source[at + 1] === source[at] && source[at + 2] === source[at] && source[at + 3] === 0x2e
    if (!begins) return
    let end = at
    while ((source[end] as number) > 0x20 && (source[end] as number) < 0x7f) end++
    this.urlEnd = end
    this.urlChars += end - at + (kind === CharacterClass.colon ? Math.min(schemeChars, at) : 0)
  }

  /** A dot ends a sentence after a word of letters and before a blank: not in 3.14, `1. `, or `U. S.` */
  private isFullStop(): boolean {
    const next = this.classes[this.source[this.at + 1] as number]
    const before = this.length - 1
    const atEnd = this.at + 1 >= this.sourceLength
    if (!atEnd && next !== CharacterClass.blank && next !== CharacterClass.newline) return false
    return before > 0 && isLatin(this.codes[before] as number) && isLatin(this.codes[before - 1] as number)
  }

  private endLine(ends: number): void {
    const start = this.lineOpen
    const chars = this.length - start
    if (this.lineHasCue && chars <= boilerplateLineCharsMax) this.boilerplateChars += chars
    this.lineHasCue = this.quoteOpen = this.ended = false
    if (this.lines === this.lineStart.length) this.lineStart = larger(this.lineStart)
    this.lineStart[this.lines++] = start
    const lineIsUnit = this.units.start[this.units.count] === start
    const last = this.codes[this.length - 1]
    const announces = last === 0x3a || last === 0xff1a
    if (lineIsUnit && (chars <= headingCharsMax || announces)) this.endUnit(UnitEnd.heading)
    else this.endUnit(ends > 1 ? UnitEnd.blankLine : UnitEnd.line)
  }

  /** Closes the open unit; where it holds nothing, the one before is found to end on something better. */
  private endUnit(rank: number): void {
    const { units } = this
    const index = units.count
    if (units.start[index] === this.length) {
      if (index > 0 && rank > (units.rank[index - 1] as number)) units.rank[index - 1] = rank
      return
    }
    units.end[index] = this.length
    units.rank[index] = rank
    units.centiTokens[index] = this.length * hanCentiTokens + this.extra
    units.savedEnd[index] = this.saved
    units.count++
    if (units.count === units.start.length) Object.assign(units, unitArrays(2 * units.count, units))
    this.openUnit()
  }

  private openUnit(): void {
    const { units } = this
    units.start[units.count] = this.length
    units.savedStart[units.count] = this.saved
  }
}

/** `http` before the colon. */
const schemeChars = 4

function isGap(kind: number): boolean {
  return kind === CharacterClass.blank || kind === CharacterClass.dropped
}

function isLatin(code: number): boolean {
  return (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a)
}

function larger(array: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const copy = new Int32Array(2 * array.length)
  copy.set(array)
  return copy
}

function unitArrays(room: number, from?: Omit<Units, 'count'>): Omit<Units, 'count'> {
  const arrays = {
    start: new Int32Array(room),
    end: new Int32Array(room),
    rank: new Uint8Array(room),
    centiTokens: new Int32Array(room),
    savedStart: new Int32Array(room),
    savedEnd: new Int32Array(room),
  }
  if (from !== undefined) for (const name of unitColumns) arrays[name].set(from[name])
  return arrays
}

const unitColumns = ['start', 'end', 'rank', 'centiTokens', 'savedStart', 'savedEnd'] as const

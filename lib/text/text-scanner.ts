/**
 * One pass over the code units of a text: removes and replaces characters, finds the ends of lines and sentences, counts
 * characters by class. The result is documented in clean.ts, the classes in characters.ts. The pass itself is in
 * scanner-kernel/assembly/scan.ts.
 */
import { Buffer } from 'node:buffer'
import { abbreviationTable } from './abbreviations.js'
import { continuesSentence } from './boundaries.js'
import { CharacterClass, type CharacterTables, classCounts } from './characters.js'
import { codesToString } from './code-units.js'
import type { TextMemory } from './text-memory.js'
import { centiTokensByClass, hanCentiTokens } from './tokens.js'
import type { Units } from './units.js'

/**
 * Scans one text at a time, in the thread's text memory.
 *
 * It takes two steps, because most code units are Han and a mispredicted branch costs more than ten of them: first the
 * kernel counts letters, digits and marks that end nothing and lists the positions of all others, without a branch; then only
 * those are visited. Unchanged stretches are copied together.
 */
export class TextScanner {
  length = 0
  readonly units: ScannedUnits
  lines = 0
  readonly counts = classCounts()
  urlChars = 0
  /** Lines before which blanks were removed. */
  indents = 0
  /** Whether the text may contain markup (markup.ts). */
  hasMarkupCue = false

  #sourceLength = 0
  /** Code units that the kernel has listed to visit. */
  #marks = 0
  /** Address of the table of classes. */
  #classes = 0

  readonly #memory: TextMemory
  readonly #tables: CharacterTables
  readonly #classesBase: number
  readonly #settledClassesBase: number
  /** View of what the kernel counted and found; growing the memory detaches it. */
  #found = new Int32Array(0)

  constructor(memory: TextMemory, tables: CharacterTables) {
    this.#memory = memory
    this.#tables = tables
    this.units = new ScannedUnits(memory)
    const { kernel } = memory
    this.#classesBase = kernel.classesBase.value
    this.#settledClassesBase = kernel.settledClassesBase.value
    memory.setTable(kernel.classesBase, withFlags(tables.classes))
    memory.setTable(kernel.settledClassesBase, withFlags(tables.settledClasses))
    memory.setTable(kernel.extrasBase, countedExtras())
    memory.setTable(kernel.visitedExtrasBase, visitedExtras())
    memory.setTable(kernel.abbreviationsBase, abbreviationTable())
    memory.setTable(kernel.replacementsBase, tables.replacements)
  }

  get codes(): Uint16Array {
    return this.#memory.codes.view
  }

  /** Output position of the start of each line. */
  get lineStart(): Int32Array {
    return this.#memory.lineStart.view
  }

  /** Input position of the first visible code unit of each line. */
  get lineFrom(): Int32Array {
    return this.#memory.lineFrom.view
  }

  /** Opens a text to scan it. Returns it: as a string if the memory has grown, which detaches code units that are in it. */
  open(text: string | Uint16Array, classes: Uint8Array): string | Uint16Array {
    const { length } = text
    this.#memory.reserveText(length + lookAhead)
    const { source } = this.#memory
    if (typeof text === 'string') Buffer.from(this.#memory.buffer).write(text, source.base, 'utf16le')
    else source.view.set(text)
    // Continues nothing, so that looking ahead needs no bounds check.
    source.view[length] = 0
    this.#sourceLength = length
    this.#classes = classes === this.#tables.classes ? this.#classesBase : this.#settledClassesBase
    this.#mark()
    return length > 0 && text.length === 0 ? codesToString(this.source, 0, length) : text
  }

  #mark(): void {
    const { kernel, source, marks, hits, sums } = this.#memory
    this.#marks = kernel.mark(source.base, this.#sourceLength, this.#classes, marks.base, hits.base, sums.base)
    this.#memory.reserveColumns(this.#marks + 2)
  }

  /** The code units of the text that was opened; `scan` has made its blanks and line ends uniform. */
  get source(): Uint16Array {
    return this.#memory.source.view.subarray(0, this.#sourceLength)
  }

  /** Scans the text. Returns false if it must be composed first. */
  scan(): boolean {
    return this.#scan(null)
  }

  /** Scans the same text again. @param indented lines whose blanks at the start are kept, by number */
  scanIndented(indented: Uint8Array): void {
    this.#mark()
    this.#scan(indented)
  }

  #scan(indented: Uint8Array | null): boolean {
    const kept = indented === null ? 0 : this.#setIndented(indented)
    const { kernel, source, marks, hits, sums, codes } = this.#memory
    const done = kernel.scan(
      source.base,
      this.#sourceLength,
      this.#classes,
      codes.base,
      marks.base,
      hits.base,
      sums.base,
      this.#marks,
      kept,
    )
    if (done === 0) return false
    this.#read()
    return true
  }

  /** Returns the address of the flags of the lines. */
  #setIndented(flags: Uint8Array): number {
    const { indented } = this.#memory
    indented.reserve(this.#marks + 2)
    indented.view.fill(0)
    indented.view.set(flags)
    return indented.base
  }

  #read(): void {
    const { buffer, kernel } = this.#memory
    if (this.#found.length === 0) this.#found = new Int32Array(buffer, kernel.countsBase.value, countedValues + 6)
    const found = this.#found
    const { counts } = this
    for (let kind = 0; kind < counts.length; kind++) counts[kind] = found[kind] as number
    this.length = found[countedValues] as number
    this.lines = found[countedValues + 1] as number
    this.units.count = found[countedValues + 2] as number
    this.urlChars = found[countedValues + 3] as number
    this.indents = found[countedValues + 4] as number
    this.hasMarkupCue = found[countedValues + 5] === 1
  }
}

/** The units in the text memory: take each column from here at its use, because growing the memory detaches earlier ones. */
class ScannedUnits implements Units {
  count = 0
  readonly #memory: TextMemory

  constructor(memory: TextMemory) {
    this.#memory = memory
  }

  get start() {
    return this.#memory.unitStart.view
  }
  get end() {
    return this.#memory.unitEnd.view
  }
  get rank() {
    return this.#memory.unitRank.view
  }
  get centiTokens() {
    return this.#memory.unitTokens.view
  }
  get savedStart() {
    return this.#memory.unitSavedStart.view
  }
  get savedEnd() {
    return this.#memory.unitSavedEnd.view
  }
}

/** Code units that looking ahead may read beyond the end. */
const lookAhead = 4
/** Counts of the classes and two sums: what the results of the kernel are behind. */
const countedValues = 34
/** Set in the tables of the kernel for marks that continue a sentence, and for code units that end nothing and start nothing. */
const continuingFlag = 0x20
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

/** Returns a table of classes with the flags of the kernel: `countedFlag` for the code units that need no visit. */
function withFlags(classes: Uint8Array): Uint8Array {
  const flagged = Uint8Array.from({ length: 32 }, (_, kind) => (countedClasses.has(kind) ? kind | countedFlag : kind))
  const table = classes.slice()
  for (let code = 0; code < table.length; code++) {
    const entry = flagged[classes[code] as number] as number
    table[code] = continuesSentence(code) ? entry | continuingFlag : entry
  }
  for (const mark of markupMarks) table[mark.charCodeAt(0)] = classes[mark.charCodeAt(0)] as number
  return table
}

function countedExtras(): Int32Array {
  const extras = new Int32Array(256)
  for (const kind of countedClasses) {
    const extra = (centiTokensByClass[kind] as number) - hanCentiTokens
    extras[kind | countedFlag] = extras[kind | countedFlag | continuingFlag] = extra
  }
  return extras
}

function visitedExtras(): Int32Array {
  return Int32Array.from(centiTokensByClass, (tokens) => tokens - hanCentiTokens)
}

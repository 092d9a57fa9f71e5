/**
 * Text as people should read it, and all that filters and chunker ask of it, in one pass over its code units:
 * NFC, ordinary letters and digits for full-width ones, invisible characters out, blanks and line ends made one;
 * where sentences and lines end; how many characters of each class. The author's punctuation stays.
 *
 * The result lives in buffers that the next call overwrites.
 */
import { Buffer } from 'node:buffer'
import { boilerplatePhrases, phraseFinder } from './boilerplate.js'
import { characterTables, composeText } from './characters.js'
import { TextMemory } from './text-memory.js'
import { Page } from './text-scanner.js'
import type { Units } from './units.js'

/** A text as it is left, and what was seen on the way. */
export interface CleanText {
  readonly codes: Uint16Array
  readonly length: number
  readonly units: Units
  /** Lines that hold something, and where each begins. */
  readonly lines: number
  readonly lineStart: Int32Array
  /** Code units of each CharacterClass but `han`: those are what is left. */
  readonly counts: Int32Array
  /** Code units inside URLs. */
  readonly urlChars: number
  /** Code units in boilerplate lines. */
  readonly boilerplateChars: number
}

/** Of a string, or of code units. */
export type Cleaner = (text: string | Uint16Array) => CleanText

/** @param memory where its texts lie; a text given as code units may lie there too */
export function createCleaner(memory: TextMemory = new TextMemory()): Cleaner {
  const tables = characterTables()
  const page = new Page(memory, tables, phraseFinder(boilerplatePhrases))
  return (text) => {
    page.open(text, tables.classes)
    if (!page.scan()) {
      page.open(
        composeText(typeof text === 'string' ? text : codesToString(text, 0, text.length)),
        tables.settledClasses,
      )
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

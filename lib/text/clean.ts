/**
 * Cleans a text in one pass over its code units and collects the data for filters and chunker: NFC, ordinary letters
 * and digits for full-width ones, no invisible characters, runs of blanks and line ends collapsed; ends of sentences
 * and lines; number of characters of each class. Punctuation is not changed.
 *
 * The result is in buffers that the next call overwrites.
 */
import { Buffer } from 'node:buffer'
import { boilerplatePhrases, phraseFinder } from './boilerplate.js'
import { characterTables, composeText } from './characters.js'
import { TextMemory } from './text-memory.js'
import { TextScanner } from './text-scanner.js'
import type { Units } from './units.js'

/** A cleaned text and its figures. */
export interface CleanText {
  /** View of the text's memory: take it at each use, because growing the memory detaches earlier views. */
  readonly codes: Uint16Array
  readonly length: number
  readonly units: Units
  /** Number of lines that are not blank, and the start of each. */
  readonly lines: number
  readonly lineStart: Int32Array
  /** Code units of each CharacterClass except `han`, which is the rest. */
  readonly counts: Int32Array
  /** Code units inside URLs. */
  readonly urlChars: number
  /** Code units in boilerplate lines. */
  readonly boilerplateChars: number
}

/** Cleans a string, or code units. */
export type Cleaner = (text: string | Uint16Array) => CleanText

/** @param memory holds the texts; a text given as code units may be in it too */
export function createCleaner(memory: TextMemory = new TextMemory()): Cleaner {
  const tables = characterTables()
  const scanner = new TextScanner(memory, tables, phraseFinder(boilerplatePhrases))
  return (text) => {
    scanner.open(text, tables.classes)
    if (!scanner.scan()) {
      scanner.open(
        composeText(typeof text === 'string' ? text : codesToString(text, 0, text.length)),
        tables.settledClasses,
      )
      scanner.scan()
    }
    return scanner
  }
}

/** Returns the cleaned text as a string: for titles. */
export function cleanString(cleaner: Cleaner, text: string): string {
  const { codes, length } = cleaner(text)
  return codesToString(codes, 0, length)
}

export function codesToString(codes: Uint16Array, start: number, end: number): string {
  return Buffer.from(codes.buffer, codes.byteOffset, codes.byteLength).toString('utf16le', 2 * start, 2 * end)
}

/**
 * Finds out cheaply whether a line of a text may be furniture, or end in it, so that few texts of prose are examined. Runs on
 * every line: one look-up in a table of bits per code unit of a short line.
 */
import { cuePhrases, edgeLabels, labels, lineWords, listHeadings, menuWords } from './boilerplate.js'
import { furnitureCharsMax } from './furniture-lines.js'
import { PhraseHits, PhraseIndex, pairHash } from './phrase-index.js'
import type { TextMemory } from './text-memory.js'

/** Returns whether codes[start … end) may be furniture. */
export type FurnitureCues = (codes: Uint16Array, start: number, end: number) => boolean

/** Code units at the end of a long line in which a cue counts. */
const tailChars = 48
/** Marks at the start of a line that are skipped. */
const marksMax = 4

/** @param memory of the cleaner whose lines are looked at */
export function createFurnitureCues(memory: TextMemory): FurnitureCues {
  const anywhere = indexOf(cuePhrases)
  const anywhereHits = new PhraseHits(memory, anywhere)
  const opening = indexOf([...menuWords, ...lineWords, ...listHeadings, ...labels, ...edgeLabels])
  const contains = (start: number, end: number, codes: Uint16Array): boolean => {
    const count = anywhereHits.find(start, end, 1)
    const hits = memory.hits.view
    for (let hit = 0; hit < count; hit++) {
      if (anywhere.longestAt(codes, start + (hits[hit] as number), end) !== null) return true
    }
    return hasBars(codes, start, end)
  }
  return (codes, start, end) => {
    if (end - start > furnitureCharsMax) return contains(end - tailChars, end, codes)
    return opensWith(opening, codes, start, end) || contains(start, end, codes)
  }
}

function indexOf(phrases: readonly string[]): PhraseIndex {
  const unique = [...new Set(phrases)].filter(({ length }) => length > 1)
  return new PhraseIndex(
    unique.map((phrase, number) => ({
      codes: Uint16Array.from(phrase, (character) => character.charCodeAt(0)),
      number,
    })),
  )
}

/** Whether the line has two bars or more. */
function hasBars(codes: Uint16Array, start: number, end: number): boolean {
  let bars = 0
  for (let at = start; at < end; at++) {
    const code = codes[at] as number
    if ((code === 0x7c || code === 0xff5c || code === 0x2502) && ++bars > 1) return true
  }
  return false
}

/** Whether a word of a menu or a label is first in the line, with something else than a letter behind it. */
function opensWith(index: PhraseIndex, codes: Uint16Array, start: number, end: number): boolean {
  let at = start
  while (at < end && at - start < marksMax && isMark(codes[at] as number)) at++
  if (at + 1 >= end) return false
  const hash = pairHash(codes[at] as number, codes[at + 1] as number)
  if ((((index.bits[hash >>> 5] as number) >>> (hash & 31)) & 1) === 0) return false
  const found = index.longestAt(codes, at, end)
  if (found === null) return false
  const after = at + found.codes.length
  return after >= end || !isLetter(codes[after] as number)
}

function isMark(code: number): boolean {
  return (
    code < 0x30 ||
    (code > 0x39 && code < 0x41) ||
    (code > 0x5a && code < 0x61) ||
    (code >= 0x2000 && code <= 0x303f) ||
    (code >= 0xff00 && code <= 0xff0f)
  )
}

function isLetter(code: number): boolean {
  return (
    (code >= 0x41 && code <= 0x7a && code !== 0x5b && code !== 0x5d && code !== 0x5f) ||
    (code >= 0x3400 && code <= 0x9fff)
  )
}

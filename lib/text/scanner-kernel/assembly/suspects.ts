// Finds the lines of a text that may be furniture (lib/text/furniture-cues.ts).

import { hasPair, markedPairs, phraseAt } from './phrases'

/** Longest line that may be furniture: of a longer one, a cue counts among so many code units at its end. */
const lineCharsMax: i32 = 120
const tailChars: i32 = 48
/** Marks at the start of a line that are skipped. */
const marksMax: i32 = 4
/** Bars between the words of a menu. */
const barsMin: i32 = 2
/** Code units between two parts that are searched with them. */
const gapMax: i32 = 8

let codes: usize = 0
let length: i32 = 0
let mayHaveBars: bool = false
/** Positions of phrases in the parts of the text that matter, and how many there are. */
let hits: usize = 0
let hitCount: i32 = 0
/** Tables of the phrases, and of the words that open a line. */
let cueMarks: usize = 0
let cueBits: usize = 0
let cueSlots: usize = 0
let cueMask: i32 = 0
let openingBits: usize = 0
let openingSlots: usize = 0
let openingMask: i32 = 0

/** Writes the numbers of the lines to `out` (i32 each). Returns twice their number, and 1 more if a line is one without its indentation. */
export function suspects(
  text: usize,
  units: i32,
  lineStart: usize,
  lines: i32,
  hasBars: bool,
  phraseMarks: usize,
  phraseBits: usize,
  phraseSlots: usize,
  phraseMask: i32,
  wordBits: usize,
  wordSlots: usize,
  wordMask: i32,
  candidates: usize,
  out: usize,
): i32 {
  codes = text
  length = units
  mayHaveBars = hasBars
  hits = candidates
  cueMarks = phraseMarks
  cueBits = phraseBits
  cueSlots = phraseSlots
  cueMask = phraseMask
  openingBits = wordBits
  openingSlots = wordSlots
  openingMask = wordMask
  findPhrases(lineStart, lines)
  let found = 0
  let any = false
  let hit = 0
  for (let line = 0; line < lines; line++) {
    const start = startOf(lineStart, line)
    const end = endOf(lineStart, line, lines)
    const visible = visibleFrom(start, end)
    while (hit < hitCount && hitAt(hit) < start) hit++
    const isSuspect = isCue(start, end, hit)
    store<i32>(out + ((<usize>found) << 2), line)
    found += <i32>isSuspect
    if (!any) any = visible == start ? isSuspect : isCue(visible, end, hit)
  }
  return (found << 1) | <i32>any
}

/** Finds the phrases in short lines, and at the ends of long ones. What is searched without a gap is searched at once. */
function findPhrases(lineStart: usize, lines: i32): void {
  hitCount = 0
  let from = 0
  let to = 0
  for (let line = 0; line < lines; line++) {
    const start = startOf(lineStart, line)
    const end = endOf(lineStart, line, lines)
    let first = start
    if (end - start > lineCharsMax) {
      const visible = visibleFrom(start, end)
      first = end - visible > lineCharsMax ? end - tailChars : visible
    }
    if (first - to > gapMax) {
      findPhrasesIn(from, to)
      from = first
    }
    to = end
  }
  findPhrasesIn(from, to)
}

function findPhrasesIn(from: i32, to: i32): void {
  if (from == to) return
  const candidates = hits + ((<usize>hitCount) << 2)
  const count = markedPairs(codes + ((<usize>from) << 1), min(to + 1, length) - from, cueMarks, candidates)
  for (let candidate = 0; candidate < count; candidate++) {
    const at = from + load<i32>(candidates + ((<usize>candidate) << 2))
    if (!hasPair(codes, at, cueBits) || phraseAt(codes, at, length, cueSlots, cueMask, 1) == 0) continue
    store<i32>(hits + ((<usize>hitCount) << 2), at)
    hitCount++
  }
}

// @ts-ignore: decorator
@inline function hitAt(hit: i32): i32 {
  return load<i32>(hits + ((<usize>hit) << 2))
}

// @ts-ignore: decorator
@inline function startOf(lineStart: usize, line: i32): i32 {
  return load<i32>(lineStart + ((<usize>line) << 2))
}

/** Position after the last visible code unit of a line. */
// @ts-ignore: decorator
@inline function endOf(lineStart: usize, line: i32, lines: i32): i32 {
  let end = line + 1 < lines ? startOf(lineStart, line + 1) : length
  while (end > 0 && isBlank(unitAt(end - 1))) end--
  return end
}

// @ts-ignore: decorator
@inline function visibleFrom(start: i32, end: i32): i32 {
  let at = start
  while (at < end && isBlank(unitAt(at))) at++
  return at
}

// @ts-ignore: decorator
@inline function unitAt(at: i32): i32 {
  return <i32>load<u16>(codes + ((<usize>at) << 1))
}

// @ts-ignore: decorator
@inline function isBlank(code: i32): bool {
  return code == 0x20 || code == 0x0a || code == 0x09 || code == 0x3000
}

/** @param hit the first one that is not before the line */
function isCue(start: i32, end: i32, hit: i32): bool {
  if (end - start > lineCharsMax) return contains(end - tailChars, end, hit)
  return contains(start, end, hit) || opens(start, end)
}

/** Whether a phrase begins in [start … end), where it ends too as none contains a line end, or there are bars in it. */
function contains(start: i32, end: i32, hit: i32): bool {
  let next = hit
  while (next < hitCount && hitAt(next) < start) next++
  return (next < hitCount && hitAt(next) < end) || (mayHaveBars && hasBars(start, end))
}

function hasBars(start: i32, end: i32): bool {
  let bars = 0
  for (let at = start; at < end; at++) {
    const code = unitAt(at)
    bars += <i32>(code == 0x7c || code == 0xff5c || code == 0x2502)
  }
  return bars >= barsMin
}

/** Whether a word of a menu or a label is first in the line, with something else than a letter behind it. */
function opens(start: i32, end: i32): bool {
  let at = start
  while (at < end && at - start < marksMax && isMark(unitAt(at))) at++
  if (at + 1 >= end || !hasPair(codes, at, openingBits)) return false
  const word = phraseAt(codes, at, end, openingSlots, openingMask, 1)
  if (word == 0) return false
  const after = at + <i32>load<u16>(word)
  return after >= end || !isLetter(unitAt(after))
}

function isMark(code: i32): bool {
  // Most lines begin with an ideograph.
  if (code > 0x303f && code < 0xff00) return false
  return (
    code < 0x30 ||
    (code > 0x39 && code < 0x41) ||
    (code > 0x5a && code < 0x61) ||
    (code >= 0x2000 && code <= 0x303f) ||
    (code >= 0xff00 && code <= 0xff0f)
  )
}

function isLetter(code: i32): bool {
  return (
    (code >= 0x41 && code <= 0x7a && code != 0x5b && code != 0x5d && code != 0x5f) ||
    (code >= 0x3400 && code <= 0x9fff)
  )
}

// Finds the lines of a text that may be furniture (lib/text/furniture-cues.ts).

import { hasPair, pairHits, phraseAt } from './phrases'

/** Longest line that may be furniture: of a longer one, a cue counts among so many code units at its end. */
const lineCharsMax: i32 = 120
const tailChars: i32 = 48
/** Marks at the start of a line that are skipped. */
const marksMax: i32 = 4
/** Bars between the words of a menu. */
const barsMin: i32 = 2

let codes: usize = 0
let length: i32 = 0
let mayHaveBars: bool = false
let hits: usize = 0
/** Tables of the phrases, and of the words that open a line. */
let cueBits: usize = 0
let cueSlots: usize = 0
let cueMask: i32 = 0
let openingBits: usize = 0
let openingSlots: usize = 0
let openingMask: i32 = 0

/** Writes the numbers of the lines to \`out\` (i32 each). Returns twice their number, and 1 more if a line is one without its indentation. */
export function suspects(
  text: usize,
  units: i32,
  lineStart: usize,
  lines: i32,
  hasBars: bool,
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
  cueBits = phraseBits
  cueSlots = phraseSlots
  cueMask = phraseMask
  openingBits = wordBits
  openingSlots = wordSlots
  openingMask = wordMask
  let found = 0
  let any = false
  let next = lines > 0 ? load<i32>(lineStart) : 0
  for (let line = 0; line < lines; line++) {
    const start = next
    next = line + 1 < lines ? load<i32>(lineStart + ((<usize>(line + 1)) << 2)) : length
    let end = next
    while (end > 0 && isBlank(unitAt(end - 1))) end--
    let visible = start
    while (visible < end && isBlank(unitAt(visible))) visible++
    const isSuspect = isCue(start, end)
    if (isSuspect) {
      store<i32>(out + ((<usize>found) << 2), line)
      found++
    }
    if (!any) any = visible == start ? isSuspect : isCue(visible, end)
  }
  return (found << 1) | <i32>any
}

// @ts-ignore: decorator
@inline function unitAt(at: i32): i32 {
  return <i32>load<u16>(codes + ((<usize>at) << 1))
}

// @ts-ignore: decorator
@inline function isBlank(code: i32): bool {
  return code == 0x20 || code == 0x0a || code == 0x09 || code == 0x3000
}

function isCue(start: i32, end: i32): bool {
  if (end - start > lineCharsMax) return contains(end - tailChars, end)
  return opens(start, end) || contains(start, end)
}

/** Whether a phrase begins in [start … end): none contains a line end. */
function contains(start: i32, end: i32): bool {
  const candidates = pairHits(codes + ((<usize>start) << 1), min(end + 1, length) - start, 1, cueBits, hits)
  for (let candidate = 0; candidate < candidates; candidate++) {
    const at = start + load<i32>(hits + ((<usize>candidate) << 2))
    if (phraseAt(codes, at, length, cueSlots, cueMask, 1) != 0) return true
  }
  return mayHaveBars && hasBars(start, end)
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

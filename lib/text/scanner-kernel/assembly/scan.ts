// One pass over the marks that `mark` listed: removes and replaces characters, finds the ends of lines and sentences, counts
// characters by class. lib/text/text-scanner.ts documents the result; test/text/reference-scanner.ts is the same in TypeScript.

import {
  abbreviationsBase,
  classesBase,
  countsBase,
  replacementsBase,
  resultsBase,
  totalsAt,
  visitedExtrasBase,
} from './layout'

/** Classes of lib/text/characters.ts. */
const asciiPunctuation: i32 = 3
const sentenceEnd: i32 = 5
const closer: i32 = 6
const blank: i32 = 7
const newline: i32 = 8
const dropped: i32 = 9
const replaced: i32 = 10
const composed: i32 = 11
const highSurrogate: i32 = 12
const lowSurrogate: i32 = 13
const symbol: i32 = 15
const colon: i32 = 16
const letterW: i32 = 17
const dot: i32 = 18
const quote: i32 = 19
/** Bits of the class in an entry of the tables, and the bit of marks that continue a sentence. */
const classBits: i32 = 0x1f
const continuing: i32 = 0x20

/** Ranks of lib/text/units.ts. */
const endOfHeading: i32 = 0
const endOfSentence: i32 = 1
const endOfLine: i32 = 2
const endBeforeBlank: i32 = 3

const hanCentiTokens: i32 = 75
/** Longest line without end punctuation that is a heading, which belongs to what follows. */
const headingCharsMax: i32 = 30
/** Length of `http`, before the colon of a link. */
const schemeChars: i32 = 4
/** Longest abbreviation. */
const abbreviationCharsMax: i32 = 6
/** Bytes that are copied by a loop rather than by a call. */
const shortBytes: usize = 256

let unitStart: usize = 0
let unitEnd: usize = 0
let unitRank: usize = 0
let unitTokens: usize = 0
let unitSavedStart: usize = 0
let unitSavedEnd: usize = 0
let lineStart: usize = 0
let lineFrom: usize = 0

/** Sets the addresses of the columns of units and lines: i32 each, ranks u8. */
export function setColumns(
  start: usize,
  end: usize,
  rank: usize,
  tokens: usize,
  savedStart: usize,
  savedEnd: usize,
  startOfLine: usize,
  fromOfLine: usize,
): void {
  unitStart = start
  unitEnd = end
  unitRank = rank
  unitTokens = tokens
  unitSavedStart = savedStart
  unitSavedEnd = savedEnd
  lineStart = startOfLine
  lineFrom = fromOfLine
}

let source: usize = 0
let sourceLength: i32 = 0
let classes: usize = 0
let codes: usize = 0
/** For each line, 1 if the blanks at its start are kept; 0: none is. */
let indented: usize = 0
/** Output position minus input position. */
let shift: i32 = 0
/** Input position up to which output is written. */
let copied: i32 = 0
/** Input position up to which a step has processed more than its own code unit. */
let done: i32 = 0
/** Bytes by which UTF-8 is shorter than 3 bytes per code unit: of what was visited, and of what `mark` counted. */
let saved: i32 = 0
let countedSaved: i32 = 0
/** Hundredths of a token more than as many Han characters would take, in the same way. */
let extra: i32 = 0
let countedExtra: i32 = 0
/** Output position of the start of the line, and output and input position of its first visible code unit. */
let lineOpen: i32 = 0
let lineText: i32 = 0
let lineInput: i32 = 0
let quoteOpen: bool = false
/** The sentence has ended, but closing marks may follow. */
let ended: bool = false
/** Input position of the end of the last URL. */
let urlEnd: i32 = 0
let lines: i32 = 0
let urlChars: i32 = 0
let indents: i32 = 0
let markupCue: i32 = 0
let units: i32 = 0
/** Start of the open unit. */
let unitOpen: i32 = 0

/**
 * Scans the text of which `mark` listed `count` marks, with the same tables. Returns 0 if the text must be composed first.
 * `source` ends in a 0, and blanks and line ends in it are made uniform.
 */
export function scan(
  from: usize,
  length: i32,
  table: usize,
  to: usize,
  marks: usize,
  extras: usize,
  saves: usize,
  count: i32,
  indentedLines: usize,
): i32 {
  source = from
  sourceLength = length
  classes = table
  codes = to
  indented = indentedLines
  shift = copied = done = saved = extra = urlEnd = 0
  countedSaved = countedExtra = 0
  lineOpen = lineText = lineInput = 0
  quoteOpen = ended = false
  lines = urlChars = indents = markupCue = units = 0
  openUnit(0, 0)
  const end = (<usize>count) << 2
  for (let place: usize = 0; place < end; place += 4) {
    const at = load<i32>(marks + place)
    if (at < done) continue
    countedExtra = load<i32>(extras + place)
    countedSaved = load<i32>(saves + place)
    const code = unitAt(at)
    if (!step(at, code, classOf(code))) return 0
  }
  countedExtra = load<i32>(countsBase + totalsAt)
  countedSaved = load<i32>(countsBase + totalsAt, 4)
  flush(length)
  const kept = length + shift
  if (kept > lineOpen) endTheLine(kept, 1)
  store<i32>(resultsBase, kept)
  store<i32>(resultsBase, lines, 4)
  store<i32>(resultsBase, units, 8)
  store<i32>(resultsBase, urlChars, 12)
  store<i32>(resultsBase, indents, 16)
  store<i32>(resultsBase, markupCue, 20)
  return 1
}

// @ts-ignore: decorator
@inline function unitAt(at: i32): i32 {
  return <i32>load<u16>(source + ((<usize>at) << 1))
}

// @ts-ignore: decorator
@inline function entryOf(code: i32): i32 {
  return <i32>load<u8>(classes + <usize>code)
}

// @ts-ignore: decorator
@inline function classOf(code: i32): i32 {
  return entryOf(code) & classBits
}

// @ts-ignore: decorator
@inline function column(base: usize, row: i32): usize {
  return base + ((<usize>row) << 2)
}

/** Processes a code unit other than Han. Returns false if the text must be composed first. */
function step(at: i32, code: i32, kind: i32): bool {
  switch (kind) {
    case dropped:
    case lowSurrogate:
      drop(at, at + 1)
      return true
    case blank:
      blanks(at)
      return true
    case newline:
      newlines(at)
      return true
    case composed:
      return false
    case highSurrogate:
      return pair(at, code)
    case replaced: {
      const replacement = <i32>load<u16>(replacementsBase + ((<usize>code) << 1))
      store<u16>(source + ((<usize>at) << 1), <u16>replacement)
      keep(at, replacement, classOf(replacement))
      return true
    }
    case dot:
      keep(at, code, isFullStop(at) ? sentenceEnd : kind)
      return true
    case quote:
      quoteOpen = !quoteOpen
      break
    case colon:
    case letterW:
      link(at, code)
      break
    case asciiPunctuation:
    case closer:
      noteMarkup(at, code)
  }
  keep(at, code, kind)
  return true
}

function keep(at: i32, code: i32, kind: i32): void {
  if (kind == 0) return
  const counter = column(countsBase, kind)
  store<i32>(counter, load<i32>(counter) + 1)
  extra += load<i32>(column(visitedExtrasBase, kind))
  saved += <i32>(code < 0x80) + <i32>(code < 0x800)
  if (kind == sentenceEnd || (kind == closer && isBrokenOff(at))) ended = true
  else if (!ended || (kind != closer && kind != quote)) return
  const next = entryOf(unitAt(at + 1))
  const nextClass = next & classBits
  if ((next & continuing) != 0 && nextClass != closer) {
    ended = false
    return
  }
  if (nextClass == sentenceEnd || nextClass == closer || (nextClass == quote && quoteOpen)) return
  ended = false
  endUnit(at + 1 + shift, endOfSentence)
}

/** Removes input [from … to). */
function drop(from: i32, to: i32): void {
  flush(from)
  copied = to
  shift -= to - from
}

/** Copies the input up to `to` that is not copied or removed yet. Writes up to 7 units beyond. */
function flush(to: i32): void {
  const from = source + ((<usize>copied) << 1)
  const out = codes + ((<usize>(copied + shift)) << 1)
  const bytes = (<usize>(to - copied)) << 1
  if (bytes > shortBytes) memory.copy(out, from, bytes)
  else for (let at: usize = 0; at < bytes; at += 16) v128.store(out + at, v128.load(from + at))
  copied = to
}

function blanks(at: i32): void {
  let end = at + 1
  while (end < sourceLength && isGap(end)) end++
  done = end
  const atLineEnd = end >= sourceLength || classOf(unitAt(end)) == newline
  if (atLineEnd) {
    // Blanks at both ends of a line are those of a blank line.
    drop(at, end)
    return
  }
  if (at + shift == lineOpen) {
    indent(at, end)
    return
  }
  store<u16>(source + ((<usize>at) << 1), 0x20)
  separate(at, 1, end, blank)
}

function newlines(at: i32): void {
  let ends = 0
  let previous = 0
  let end = at
  let afterLast = at
  for (; end < sourceLength; end++) {
    const code = unitAt(end)
    const kind = classOf(code)
    if (kind == newline) {
      if (code != 0x0a || previous != 0x0d) ends++
      afterLast = end + 1
    } else if (!isGap(end)) break
    // Removed characters do not separate CR from LF; blanks do.
    if (kind <= newline) previous = code
  }
  done = end
  const nothingBefore = at + shift == lineOpen
  if (!nothingBefore) endTheLine(at + shift, ends)
  if (nothingBefore || end >= sourceLength) drop(at, afterLast)
  else {
    store<u16>(source + ((<usize>at) << 1), 0x0a)
    if (ends > 1) store<u16>(source + ((<usize>at) << 1), 0x0a, 2)
    separate(at, ends > 1 ? 2 : 1, afterLast, newline)
  }
  lineOpen = afterLast + shift
  indent(afterLast, end)
}

/** Removes or keeps the blanks of input [from … to) at the start of a line. */
function indent(from: i32, to: i32): void {
  if (from < to) {
    indents++
    if (indented == 0 || load<u8>(indented + <usize>lines) != 1 || to >= sourceLength) drop(from, to)
    else keepIndent(from, to)
  }
  lineText = to + shift
  lineInput = to
}

function keepIndent(from: i32, to: i32): void {
  for (let at = from; at < to; at++) {
    const code = unitAt(at)
    if (classOf(code) != blank) {
      drop(at, at + 1)
      continue
    }
    if (code != 0x09 && code != 0x3000) store<u16>(source + ((<usize>at) << 1), 0x20)
    countSeparators(blank, 1, code == 0x3000 ? 0 : 2)
  }
  openUnit(to + shift, saved + countedSaved)
}

function countSeparators(kind: i32, count: i32, bytes: i32): void {
  const counter = column(countsBase, kind)
  store<i32>(counter, load<i32>(counter) + count)
  extra += count * load<i32>(column(visitedExtrasBase, kind))
  saved += bytes
}

/** Whether the code unit is a blank or is removed. */
function isGap(at: i32): bool {
  const kind = classOf(unitAt(at))
  if (kind == highSurrogate) return !isLowSurrogate(unitAt(at + 1))
  return kind == blank || kind == dropped || kind == lowSurrogate
}

// @ts-ignore: decorator
@inline function isLowSurrogate(code: i32): bool {
  return (code & 0xfc00) == 0xdc00
}

/** Keeps `count` blanks or line ends of input [at … end). An open unit that is empty starts after them. */
function separate(at: i32, count: i32, end: i32, kind: i32): void {
  const begun = at + shift > unitOpen
  if (end > at + count) drop(at + count, end)
  countSeparators(kind, count, 2 * count)
  if (!begun) openUnit(end + shift, saved + countedSaved)
}

function pair(at: i32, high: i32): bool {
  if (!isLowSurrogate(unitAt(at + 1))) {
    drop(at, at + 1)
    return true
  }
  if (classes == classesBase && mayCompose(high)) return false
  done = at + 2
  saved += 2
  // Ideographs count as Han.
  if (high >= 0xd840 && high <= 0xd8bf) return true
  const counter = column(countsBase, symbol)
  store<i32>(counter, load<i32>(counter) + 2)
  extra += 2 * load<i32>(column(visitedExtrasBase, symbol))
  return true
}

// @ts-ignore: decorator
@inline function mayCompose(high: i32): bool {
  return high == 0xd87e || high == 0xd834 || (high >= 0xd804 && high <= 0xd806)
}

/** Counts a URL whose colon (of `scheme://…`) or `www.` is at `at`. */
function link(at: i32, code: i32): void {
  if (at < urlEnd) return
  const isLink =
    code == 0x3a
      ? unitAt(at + 1) == 0x2f && unitAt(at + 2) == 0x2f
      : unitAt(at + 1) == code && unitAt(at + 2) == code && unitAt(at + 3) == 0x2e
  if (!isLink) return
  let end = at
  for (let next = unitAt(end); next > 0x20 && next < 0x7f; next = unitAt(end)) end++
  urlEnd = end
  urlChars += end - at + (code == 0x3a ? min(schemeChars, at) : 0)
}

/** Notes marks that start a tag, a reference, an image or a link, or a forum code. */
function noteMarkup(at: i32, code: i32): void {
  const next = unitAt(at + 1)
  let found = false
  if (code == 0x3c) found = isLatin(next) || next == 0x2f || next == 0x21 || next == 0x3f
  else if (code == 0x26) found = isLatin(next) || next == 0x23
  else if (code == 0x5b) found = next == 0x2f
  else if (code == 0x5d) found = next == 0x28
  markupCue |= <i32>found
}

// @ts-ignore: decorator
@inline function isLatin(code: i32): bool {
  return <u32>((code | 0x20) - 0x61) < 26
}

/** Whether a dot ends a sentence: after a word of letters and before a blank, not in 3.14, `1. `, or `U. S.` */
function isFullStop(at: i32): bool {
  if (at + 1 < sourceLength) {
    const next = classOf(unitAt(at + 1))
    if (next != blank && next != newline) return false
  }
  if (at < 2 || !isLatin(unitAt(at - 1)) || !isLatin(unitAt(at - 2))) return false
  return !isAbbreviated(at)
}

/** Whether the letters before the full stop at `at` are an abbreviation; one that ends sentences too, before a number. */
function isAbbreviated(at: i32): bool {
  let key: u32 = 1
  let start = at
  while (start > 0 && at - start <= abbreviationCharsMax && isLatin(unitAt(start - 1))) start--
  if (at - start > abbreviationCharsMax) return false
  // The last letter is in the lowest bits: 5 bits each, and a 1 before them; six letters leave the highest bit free.
  for (let place = start; place < at; place++) key = (key << 5) | (unitAt(place) & 0x1f)
  let slot = (key * 0x9e3779b1) >>> 24
  let found = load<u32>(abbreviationsBase + ((<usize>slot) << 2))
  while (found != 0 && (found & 0x7fffffff) != key) {
    slot = (slot + 1) & 255
    found = load<u32>(abbreviationsBase + ((<usize>slot) << 2))
  }
  return found != 0 && (found == key || <u32>(unitAt(at + 2) - 0x30) < 10)
}

/** Whether the closing mark at `at` ends a speech that was broken off: ——” */
function isBrokenOff(at: i32): bool {
  return at > 1 && unitAt(at - 1) == 0x2014 && unitAt(at - 2) == 0x2014
}

/** Ends the line at an output position. */
function endTheLine(end: i32, ends: i32): void {
  quoteOpen = ended = false
  store<i32>(column(lineFrom, lines), lineInput)
  store<i32>(column(lineStart, lines), lineOpen)
  lines++
  const last = unitAt(end - shift - 1)
  const announces = last == 0x3a || last == 0xff1a
  const isHeading = unitOpen == lineText && (end - lineText <= headingCharsMax || announces)
  endUnit(end, isHeading ? endOfHeading : ends > 1 ? endBeforeBlank : endOfLine)
}

/** Sets the start of the open unit, which is empty. */
function openUnit(start: i32, savedBefore: i32): void {
  unitOpen = start
  store<i32>(column(unitStart, units), start)
  store<i32>(column(unitSavedStart, units), savedBefore)
}

/** Closes the open unit and opens the next. If it is empty, it stays open, and the one before gets the rank if it is higher. */
function endUnit(end: i32, rank: i32): void {
  if (unitOpen == end) {
    const before = unitRank + <usize>(units - 1)
    if (units > 0 && rank > <i32>load<u8>(before)) store<u8>(before, <u8>rank)
    return
  }
  const bytes = saved + countedSaved
  store<i32>(column(unitEnd, units), end)
  store<u8>(unitRank + <usize>units, <u8>rank)
  store<i32>(column(unitTokens, units), end * hanCentiTokens + extra + countedExtra)
  store<i32>(column(unitSavedEnd, units), bytes)
  units++
  openUnit(end, bytes)
}

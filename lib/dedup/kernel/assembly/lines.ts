// A line of the processor's cache holds twelve entries of a table: tags, and what is known of the documents that have
// them. A line that is full goes on in further lines. Order among entries means nothing.
//
// u16 tag [12] · u16 low half of what it stands for [12] · u8 the eight bits above [12] · u32 flags: entries in the low
// four bits, above them the line that it goes on in, in units of lines; 0 for none.
import { lineShift, take } from './memory'

export const entriesPerLine: u32 = 12
const lowsAt: usize = 24
const highsAt: usize = 48
const flagsAt: usize = 60
const countMask: u32 = 15
const nextShift: u32 = 4

/** Lines taken at once for those that go on. */
const furtherLines: usize = 256

let unused: usize = 0
let unusedEnd: usize = 0
/** Lines given back, each naming the next. */
let givenBack: usize = 0

@inline
export function count(line: usize): u32 {
  return load<u32>(line, flagsAt) & countMask
}

/** The line that this one goes on in; 0 for none. */
@inline
export function next(line: usize): usize {
  return (<usize>load<u32>(line, flagsAt) >> nextShift) << lineShift
}

@inline
export function setFlags(line: usize, entries: u32, further: usize): void {
  store<u32>(line, entries | (<u32>(further >> lineShift) << nextShift), flagsAt)
}

@inline
export function tag(line: usize, entry: u32): u32 {
  return load<u16>(line + (<usize>entry << 1))
}

/** The 24 bits beside the tag. */
@inline
export function value(line: usize, entry: u32): u32 {
  return <u32>load<u16>(line + (<usize>entry << 1), lowsAt) | (<u32>load<u8>(line + <usize>entry, highsAt) << 16)
}

@inline
export function setEntry(line: usize, entry: u32, tag: u32, value: u32): void {
  store<u16>(line + (<usize>entry << 1), <u16>tag)
  store<u16>(line + (<usize>entry << 1), <u16>value, lowsAt)
  store<u8>(line + <usize>entry, <u8>(value >> 16), highsAt)
}

/** Leaves 16 bits of each value. */
export function clearHighs(line: usize): void {
  store<u64>(line, 0, highsAt)
  store<u32>(line, 0, highsAt + 8)
}

/** One bit an entry of this line: whether it has the tag. */
@inline
export function entriesWith(line: usize, tag: v128): u32 {
  const first = i16x8.eq(v128.load(line), tag)
  // The last four lanes are no tags; no count reaches there.
  const rest = i16x8.eq(v128.load(line, 16), tag)
  return i8x16.bitmask(i8x16.narrow_i16x8_s(first, rest)) & ~(-1 << count(line))
}

/** Adds an entry to a line or to those it goes on in, of which only the first may have room. */
@inline
export function put(line: usize, tag: u32, value: u32): void {
  const entries = count(line)
  if (entries < entriesPerLine) {
    setEntry(line, entries, tag, value)
    setFlags(line, entries + 1, next(line))
  } else putFurther(line, tag, value)
}

function putFurther(line: usize, tag: u32, value: u32): void {
  let further = next(line)
  if (further == 0 || count(further) == entriesPerLine) {
    const more = takeLine()
    setFlags(more, 0, further)
    setFlags(line, entriesPerLine, more)
    further = more
  }
  const entries = count(further)
  setEntry(further, entries, tag, value)
  setFlags(further, entries + 1, next(further))
}

function takeLine(): usize {
  if (givenBack != 0) {
    const line = givenBack
    givenBack = next(line)
    return line
  }
  if (unused == unusedEnd) {
    unused = take(furtherLines << lineShift)
    unusedEnd = unused + (furtherLines << lineShift)
  }
  const line = unused
  unused += 1 << lineShift
  return line
}

export function giveBack(line: usize): void {
  setFlags(line, 0, givenBack)
  givenBack = line
}

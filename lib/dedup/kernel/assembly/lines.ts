// Lines of hash tables. A line has the size of a cache line and holds twelve entries: a tag, and the number of the document. A
// full line is continued in further lines. The order of entries has no meaning.
//
// u16 tag [12] · u16 low bits of the value [12] · u8 the eight bits above [12] · u32 flags: number of entries in the low four
// bits, above them the further line, in units of lines; 0 for none.
import { lineShift, take } from './memory'

export const entriesPerLine: u32 = 12
const lowsAt: usize = 24
const highsAt: usize = 48
const flagsAt: usize = 60
const countMask: u32 = 15
const nextShift: u32 = 4

/** Further lines allocated at a time. */
const furtherLines: usize = 256

let unused: usize = 0
let unusedEnd: usize = 0
/** Linked list of released lines. */
let released: usize = 0

@inline
export function count(line: usize): u32 {
  return load<u32>(line, flagsAt) & countMask
}

/** Returns the further line of this one; 0 for none. */
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

/** Clears all but 16 bits of each value. */
export function clearHighs(line: usize): void {
  store<u64>(line, 0, highsAt)
  store<u32>(line, 0, highsAt + 8)
}

/** Returns one bit per entry of this line: whether it has the tag. */
@inline
export function entriesWith(line: usize, tag: v128): u32 {
  const first = i16x8.eq(v128.load(line), tag)
  // The last four lanes are not tags: the mask by the number of entries removes them.
  const rest = i16x8.eq(v128.load(line, 16), tag)
  return i8x16.bitmask(i8x16.narrow_i16x8_s(first, rest)) & ~(-1 << count(line))
}

/** Adds an entry to a line or its further lines, of which only the first may have free entries. */
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
  if (released != 0) {
    const line = released
    released = next(line)
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

export function release(line: usize): void {
  setFlags(line, 0, released)
  released = line
}

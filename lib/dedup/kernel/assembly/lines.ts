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

/** 256 shuffles of u16 lanes: that of a mask moves the lanes whose bit is set to the front. */
const packing: usize = memory.data(256 << 4)

let unused: usize = 0
let unusedEnd: usize = 0
/** Linked list of released lines. */
let released: usize = 0
/** Written so that reading ahead is not optimised away. */
let touched: u32 = 0

export function configureLines(): void {
  for (let mask: u32 = 0; mask < 256; mask++) {
    let at = packing + (<usize>mask << 4)
    for (let lanes = mask; lanes != 0; lanes &= lanes - 1, at += 2) store<u16>(at, <u16>(ctz(lanes) * 0x202 + 0x100))
  }
}

/** Bytes after a list of addresses that is read ahead. */
export const listPadding: usize = 28

/**
 * Reads the lines at the addresses of a list, and their further lines. Loops this short let the processor load many cache
 * lines in parallel: one that also computes the addresses fills its window after a few. Reads up to `listPadding` bytes
 * beyond the list, which must be zero or addresses of lines.
 */
export function readAhead(list: usize, lines: u32): void {
  const end = list + (<usize>lines << 2)
  let sum: u32 = 0
  for (let at = list; at < end; at += 32) {
    sum ^= load<u32>(<usize>load<u32>(at)) ^ load<u32>(<usize>load<u32>(at, 4))
    sum ^= load<u32>(<usize>load<u32>(at, 8)) ^ load<u32>(<usize>load<u32>(at, 12))
    sum ^= load<u32>(<usize>load<u32>(at, 16)) ^ load<u32>(<usize>load<u32>(at, 20))
    sum ^= load<u32>(<usize>load<u32>(at, 24)) ^ load<u32>(<usize>load<u32>(at, 28))
  }
  for (let at = list; at < end; at += 16) {
    sum ^= load<u32>(next(<usize>load<u32>(at))) ^ load<u32>(next(<usize>load<u32>(at, 4)))
    sum ^= load<u32>(next(<usize>load<u32>(at, 8))) ^ load<u32>(next(<usize>load<u32>(at, 12)))
  }
  touched = sum
}

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

/** Moves entries of a line, not those of its further lines, to an unused one: those with the bit of tag and high byte. */
@inline
export function divideEntries(lower: usize, upper: usize, bit: u32): void {
  const entries = count(lower)
  const tags = v128.load(lower)
  const lastTags = v128.load(lower, 16)
  const highs = v128.load(lower, highsAt)
  let ups: u32
  if (bit >= 8) {
    const shift = 23 - bit
    ups = i16x8.bitmask(i16x8.shl(tags, shift)) | (i16x8.bitmask(i16x8.shl(lastTags, shift)) << 8)
  } else ups = i8x16.bitmask(i8x16.shl(highs, 7 - bit))
  const all: u32 = (1 << entries) - 1
  ups &= all
  const lows = v128.load(lower, lowsAt)
  const lastLows = v128.load(lower, lowsAt + 16)
  const firstHighs = i16x8.extend_low_i8x16_u(highs)
  const lastHighs = i16x8.extend_high_i8x16_u(highs)
  pack(upper, ups, tags, lastTags, lows, lastLows, firstHighs, lastHighs)
  pack(lower, ups ^ all, tags, lastTags, lows, lastLows, firstHighs, lastHighs)
}

/** Writes the entries of a mask, and their number. In this order, because each column is written beyond its end. */
@inline
function pack(line: usize, mask: u32, tags: v128, lastTags: v128, lows: v128, lastLows: v128, highs: v128, lastHighs: v128): void {
  const first = v128.load(packing + (<usize>(mask & 255) << 4))
  const last = v128.load(packing + (<usize>(mask >> 8) << 4))
  const placed = <usize>popcnt(mask & 255)
  v128.store(line, i8x16.swizzle(tags, first))
  v128.store(line + (placed << 1), i8x16.swizzle(lastTags, last))
  v128.store(line, i8x16.swizzle(lows, first), lowsAt)
  v128.store(line + (placed << 1), i8x16.swizzle(lastLows, last), lowsAt)
  store<u64>(line, i64x2.extract_lane(i8x16.narrow_i16x8_u(i8x16.swizzle(highs, first), tags), 0), highsAt)
  store<u32>(line + placed, i32x4.extract_lane(i8x16.narrow_i16x8_u(i8x16.swizzle(lastHighs, last), tags), 0), highsAt)
  setFlags(line, popcnt(mask), 0)
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

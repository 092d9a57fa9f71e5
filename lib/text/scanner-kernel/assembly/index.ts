// The loops over code units that take most of the time before a text is signed: finding code units other than Han, and repeated
// n-grams. lib/text/text-memory.ts owns the memory;
// the callers are text-scanner.ts, flat-record.ts, repetition.ts and phrase-index.ts.

export { differentAtLeast, differentFours } from './different'
export { gramSum, gramTotal } from './grams'
export {
  abbreviationsBase,
  classesBase,
  countsBase,
  extrasBase,
  hostBase,
  replacementsBase,
  settledClassesBase,
  visitedExtrasBase,
} from './layout'
export { markOpenings, phrases } from './phrases'
export { scan, setColumns } from './scan'
export { clauses, frequentGrams, sameEdges } from './stuffing'
export { suspects } from './suspects'
export { encodeUtf8, readString, stringBytes } from './utf8'

import { countsBase, extrasBase, totalsAt } from './layout'
import { sumOfFour } from './vectors'

/**
 * Writes the positions of the code units that need a visit to `marks` (i32 each, capacity `length` + 8); returns their
 * number. Counts those that need none: by class, and for each mark the hundredths of a token and the saved bytes of those
 * before it, to `extras` and `saved` (i32 each, of the same capacity). Most code units are Han of U+4E00 … U+9FFF, class 0,
 * of which eight are tested at a time. Reads up to 7 units beyond the end.
 */
export function mark(source: usize, length: i32, classes: usize, marks: usize, extras: usize, saved: usize): i32 {
  const first = i16x8.splat(0x4e00)
  const span = i16x8.splat(0x51ff)
  memory.fill(countsBase, 0, totalsAt)
  let out: usize = 0
  let extra: i32 = 0
  let bytes: i32 = 0
  for (let at = 0; at < length; at += 8) {
    const units = v128.load(source + ((<usize>at) << 1))
    let others = i16x8.bitmask(i16x8.gt_u(i16x8.sub(units, first), span))
    if (length - at < 8) others &= (1 << (length - at)) - 1
    for (; others != 0; others &= others - 1) {
      const place = at + ctz(others)
      const code = <i32>load<u16>(source + ((<usize>place) << 1))
      const kind = <i32>load<u8>(classes + <usize>code)
      store<i32>(marks + out, place)
      store<i32>(extras + out, extra)
      store<i32>(saved + out, bytes)
      const isCounted = kind >>> 7
      // Without a branch: classes come in no order.
      out += (<usize>(<i32>(kind != 0) & (isCounted ^ 1))) << 2
      const count = countsBase + ((<usize>(kind & 0x1f)) << 2)
      store<i32>(count, load<i32>(count) + isCounted)
      extra += load<i32>(extrasBase + ((<usize>kind) << 2))
      bytes += (<i32>(code < 0x80) + <i32>(code < 0x800)) & -isCounted
    }
  }
  store<i32>(countsBase + totalsAt, extra)
  store<i32>(countsBase + totalsAt, bytes, 4)
  return <i32>(out >> 2)
}

/**
 * Returns the number of n-grams of `gramUnits` code units that occur more than once, first occurrences included, and adds
 * all of them to `slots`, which is cleared. `sums` (i32[length + 1], the first 0) become the hashes of the text up to each position; that of
 * an n-gram is a difference of two. `slots` has `mask` + 1 entries; hashes are stored xor `salt`, and their
 * lowest bit says that the n-gram has been counted.
 */
export function repeated(
  codes: usize,
  length: i32,
  sums: usize,
  slots: usize,
  mask: i32,
  salt: i32,
  gramUnits: i32,
  multiplier: i32,
  beforeGram: i32,
): i32 {
  memory.fill(slots, 0, (<usize>mask + 1) << 2)
  const behind = (<usize>gramUnits) << 2
  let hash: i32 = 0
  let count: i32 = 0
  let code = codes
  let sum = sums + 4
  const firstGram = min(sums + behind, sums + 4 + ((<usize>length) << 2))
  for (; sum < firstGram; sum += 4, code += 2) {
    hash = hash * multiplier + <i32>load<u16>(code)
    store<i32>(sum, hash)
  }
  const end = codes + ((<usize>length) << 1)
  for (; code < end; sum += 4, code += 2) {
    hash = hash * multiplier + <i32>load<u16>(code)
    store<i32>(sum, hash)
    const gram = hash - load<i32>(sum - behind) * beforeGram
    const slot = slots + ((<usize>((gram ^ (gram >>> 15)) & mask)) << 2)
    const value = (gram ^ salt) & ~1
    const last = load<i32>(slot)
    const again = <i32>((last & ~1) == value)
    count += again * (2 - (last & 1))
    store<i32>(slot, value | again)
  }
  return count
}

/**
 * Counts the code units at the positions from 0 in steps of `step`, 1023 at most, by their set in `table` (u8[65536], values
 * 0 to 5): writes i32[6] to `sets`. Returns how many of them are equal to the two after them.
 */
export function sampleSets(codes: usize, length: i32, step: i32, table: usize, sets: usize): i32 {
  let first = i8x16.splat(0)
  let second = i8x16.splat(0)
  let third = i8x16.splat(0)
  let fourth = i8x16.splat(0)
  let fifth = i8x16.splat(0)
  let runs = 0
  let at = 0
  let unit = codes
  const next = (<usize>step) << 1
  for (; at + 7 * step + 2 < length; at += 8 * step) {
    let kinds = i8x16.splat(0)
    kinds = v128.load8_lane(table + <usize>load<u16>(unit), kinds, 0)
    runs += isRun(unit)
    unit += next
    kinds = v128.load8_lane(table + <usize>load<u16>(unit), kinds, 1)
    runs += isRun(unit)
    unit += next
    kinds = v128.load8_lane(table + <usize>load<u16>(unit), kinds, 2)
    runs += isRun(unit)
    unit += next
    kinds = v128.load8_lane(table + <usize>load<u16>(unit), kinds, 3)
    runs += isRun(unit)
    unit += next
    kinds = v128.load8_lane(table + <usize>load<u16>(unit), kinds, 4)
    runs += isRun(unit)
    unit += next
    kinds = v128.load8_lane(table + <usize>load<u16>(unit), kinds, 5)
    runs += isRun(unit)
    unit += next
    kinds = v128.load8_lane(table + <usize>load<u16>(unit), kinds, 6)
    runs += isRun(unit)
    unit += next
    kinds = v128.load8_lane(table + <usize>load<u16>(unit), kinds, 7)
    runs += isRun(unit)
    unit += next
    first = i8x16.sub(first, i8x16.eq(kinds, i8x16.splat(1)))
    second = i8x16.sub(second, i8x16.eq(kinds, i8x16.splat(2)))
    third = i8x16.sub(third, i8x16.eq(kinds, i8x16.splat(3)))
    fourth = i8x16.sub(fourth, i8x16.eq(kinds, i8x16.splat(4)))
    fifth = i8x16.sub(fifth, i8x16.eq(kinds, i8x16.splat(5)))
  }
  store<i32>(sets, <i32>((<usize>(unit - codes)) / next))
  store<i32>(sets, sumOfBytes(first), 4)
  store<i32>(sets, sumOfBytes(second), 8)
  store<i32>(sets, sumOfBytes(third), 12)
  store<i32>(sets, sumOfBytes(fourth), 16)
  store<i32>(sets, sumOfBytes(fifth), 20)
  let others = 0
  for (let set: usize = 4; set < 24; set += 4) others += load<i32>(sets + set)
  store<i32>(sets, load<i32>(sets) - others)
  for (; at < length; at += step) {
    const set = sets + ((<usize>load<u8>(table + <usize>load<u16>(unit))) << 2)
    store<i32>(set, load<i32>(set) + 1)
    if (at + 2 < length) runs += isRun(unit)
    unit += next
  }
  return runs
}

// @ts-ignore: decorator
@inline function isRun(unit: usize): i32 {
  const code = load<u16>(unit)
  return load<u16>(unit, 2) == code ? <i32>(load<u16>(unit, 4) == code) : 0
}

function sumOfBytes(bytes: v128): i32 {
  return sumOfFour(i32x4.extadd_pairwise_i16x8_u(i16x8.extadd_pairwise_i8x16_u(bytes)))
}

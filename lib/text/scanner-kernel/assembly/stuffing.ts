// Counts what keyword stuffing repeats (lib/text/filters/repetition.ts): short n-grams, and the edges of clauses.

import { hashOfFour } from './different'

/** Size of a table of 2^12 counters, u16 each. */
const tableBytes: usize = 8192

/**
 * Returns how many of the 4-grams of `length` code units, at most 65535, have the hash of `times` or more. `counters` is a
 * table, which is cleared. Without a branch that depends on the text.
 */
export function frequentGrams(codes: usize, length: i32, counters: usize, times: i32): i32 {
  memory.fill(counters, 0, tableBytes)
  const end = codes + ((<usize>max(0, length - 3)) << 1)
  let frequent = 0
  for (let unit = codes; unit < end; unit += 2) {
    const four = load<u64>(unit)
    const counter = counters + ((<usize>hashOfFour(<u32>four, <u32>(four >>> 32))) << 1)
    const count = <i32>load<u16>(counter) + 1
    store<u16>(counter, <u16>count)
    // The one that makes a hash frequent counts for those before it.
    frequent += (times & -<i32>(count == times)) + <i32>(count > times)
  }
  return frequent
}

/** Clauses of the last text of `sameEdges`. */
export let clauses: i32 = 0

/**
 * Counts clauses, which are runs of ideographs; returns how many at most of those of over 3 code units begin, or end, with the
 * same 3. `counters` is two tables, which are cleared.
 */
export function sameEdges(codes: usize, length: i32, counters: usize): i32 {
  memory.fill(counters, 0, 2 * tableBytes)
  const ends = counters + tableBytes
  const end = codes + ((<usize>length) << 1)
  let found = 0
  let most = 0
  let start = codes
  for (let unit = codes; unit <= end; unit += 2) {
    if (unit < end && isIdeograph(load<u16>(unit))) continue
    const run = unit - start
    found += <i32>(run > 0)
    if (run > 6) most = max(most, max(increased(counters, edgeHash(start)), increased(ends, edgeHash(unit - 6))))
    start = unit + 2
  }
  clauses = found
  return most
}

// @ts-ignore: decorator
@inline function increased(counters: usize, hash: u32): i32 {
  const counter = counters + ((<usize>hash) << 1)
  const count = <i32>load<u16>(counter) + 1
  store<u16>(counter, <u16>count)
  return count
}

// @ts-ignore: decorator
@inline function edgeHash(edge: usize): u32 {
  const pair = load<u32>(edge) * <u32>0x9e3779b1
  return ((pair ^ (<u32>load<u16>(edge, 4) * <u32>0x85ebca77)) >>> 11) & 4095
}

// @ts-ignore: decorator
@inline function isIdeograph(code: u32): bool {
  return code - 0x4e00 <= 0x51ff || code - 0x3400 <= 0x19bf
}

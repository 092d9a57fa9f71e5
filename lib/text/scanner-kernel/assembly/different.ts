// Numbers that the number of different n-grams of a text is not below: upper bounds of what is repeated (lib/text/repetition.ts).
// Hashes set bytes, which are summed at the end: nothing that was stored is loaded soon.

import { sumOfFour } from './vectors'

/** Odd multipliers of the pairs of code units at the edges of an n-gram. */
const firstEdge: i32 = 0x9e3779b1
const lastEdge: i32 = 0x85ebca77

/**
 * Returns a number that the number of different n-grams of 13 code units at the positions before `count` is not below: that of the
 * hashes of their first and last 2 units. `seen` has `mask` + 1 bytes, a power of two and a multiple of 64, and is cleared. No
 * branch depends on the text.
 */
export function differentAtLeast(codes: usize, count: i32, seen: usize, mask: i32): i32 {
  memory.fill(seen, 0, <usize>mask + 1)
  const shift = clz(mask)
  const first = i32x4.splat(firstEdge)
  const last = i32x4.splat(lastEdge)
  const base = i32x4.splat(<i32>seen)
  const eights = codes + ((<usize>(count & ~7)) << 1)
  let unit = codes
  for (; unit < eights; unit += 16) {
    const even = i32x4.add(i32x4.mul(v128.load(unit), first), i32x4.mul(v128.load(unit, 22), last))
    const odd = i32x4.add(i32x4.mul(v128.load(unit, 2), first), i32x4.mul(v128.load(unit, 24), last))
    const a = i32x4.add(i32x4.shr_u(even, shift), base)
    const b = i32x4.add(i32x4.shr_u(odd, shift), base)
    storeOnes(a)
    storeOnes(b)
  }
  const end = codes + ((<usize>count) << 1)
  for (; unit < end; unit += 2) {
    const hash = load<u32>(unit) * firstEdge + load<u32>(unit, 22) * lastEdge
    store<u8>(seen + <usize>(hash >>> shift), 1)
  }
  return onesIn(seen, seen + <usize>mask + 1)
}

/**
 * Returns the number of different hashes that `frequentGrams` of stuffing.ts has for the 4-grams of `length` code units. `seen` has 4096
 * bytes, and is cleared.
 */
export function differentFours(codes: usize, length: i32, seen: usize): i32 {
  memory.fill(seen, 0, 4096)
  const count = max(0, length - 3)
  const first = i32x4.splat(firstOfFour)
  const last = i32x4.splat(lastOfFour)
  const base = i32x4.splat(<i32>seen)
  const kept = i32x4.splat(4095)
  const eights = codes + ((<usize>(count & ~7)) << 1)
  let unit = codes
  for (; unit < eights; unit += 16) {
    const middle = v128.load(unit, 4)
    const even = v128.xor(i32x4.mul(v128.load(unit), first), i32x4.shr_u(i32x4.mul(middle, last), 7))
    const odd = v128.xor(i32x4.mul(v128.load(unit, 2), first), i32x4.shr_u(i32x4.mul(v128.load(unit, 6), last), 7))
    storeOnes(i32x4.add(v128.and(i32x4.shr_u(even, 11), kept), base))
    storeOnes(i32x4.add(v128.and(i32x4.shr_u(odd, 11), kept), base))
  }
  const end = codes + ((<usize>count) << 1)
  for (; unit < end; unit += 2) store<u8>(seen + <usize>hashOfFour(load<u32>(unit), load<u32>(unit, 4)), 1)
  return onesIn(seen, seen + 4096)
}

const firstOfFour: i32 = 0x9e3779b1
const lastOfFour: i32 = 0x85ebca77

/** Hash of a 4-gram, of 12 bits. */
// @ts-ignore: decorator
@inline export function hashOfFour(first: u32, last: u32): u32 {
  return (((first * <u32>firstOfFour) ^ ((last * <u32>lastOfFour) >>> 7)) >>> 11) & 4095
}

/** Stores 1 in the bytes at four addresses. */
// @ts-ignore: decorator
@inline function storeOnes(places: v128): void {
  store<u8>(<usize>i32x4.extract_lane(places, 0), 1)
  store<u8>(<usize>i32x4.extract_lane(places, 1), 1)
  store<u8>(<usize>i32x4.extract_lane(places, 2), 1)
  store<u8>(<usize>i32x4.extract_lane(places, 3), 1)
}

/** Sum of bytes that are 0 or 1, a multiple of 64 of them. */
function onesIn(bytes: usize, end: usize): i32 {
  let sums = i32x4.splat(0)
  for (let at = bytes; at < end; at += 64) {
    const first = i8x16.add(v128.load(at), v128.load(at, 16))
    const second = i8x16.add(v128.load(at, 32), v128.load(at, 48))
    sums = i32x4.add(sums, i32x4.extadd_pairwise_i16x8_u(i16x8.extadd_pairwise_i8x16_u(i8x16.add(first, second))))
  }
  return sumOfFour(sums)
}


// Sum of the weights of the distinct character 1-, 2- and 3-grams of a text (lib/text/screen/grams.ts, which defines them).

import { gramFactorsBase } from './layout'
import { sumOfFour } from './vectors'

/** Odd multipliers, from the fractional parts of √2, √3 and √5: one for each length of a gram; of the mix, by 2^32 / φ. */
const unigramFactor: i32 = 0x6a09e667
const bigramFactor: i32 = 0xbb67ae85
const trigramFactor: i32 = 0x3c6ef373
const mixFactor: i32 = 0x9e3779b1

/** Sum that the last call of `gramSum` found. */
export let gramTotal: f64 = 0

// A vector of constants is made anew in each step of a loop; one that is loaded before it is not.
store<i32>(gramFactorsBase, unigramFactor)
store<i32>(gramFactorsBase, bigramFactor, 4)
store<i32>(gramFactorsBase, trigramFactor, 8)
store<i32>(gramFactorsBase, mixFactor, 12)

/** Code units of which the grams are hashed before they are added up: their buckets stay in the first-level cache. */
const tileUnits: i32 = 256

/**
 * Adds up the weights (i16 each) of the distinct grams of `length` code units, and returns their number. The bucket of a gram
 * is its hash without the low `shift` bits. `seen` has a byte for each bucket, and none is `text`, 1 to 255. Reads up to 7
 * units beyond. `list` has room for the buckets of a tile, 12 bytes a code unit.
 *
 * No branch depends on the text: a processor cannot predict whether a gram was seen. Nor does what is stored depend on what
 * was loaded: a load would wait for it.
 */
export function gramSum(codes: usize, length: i32, weights: usize, seen: usize, list: usize, text: i32, shift: i32): i32 {
  let total: i64 = 0
  let count = 0
  let before = i16x8.splat(0)
  const texts = i8x16.splat(<i8>text)
  const unigram = v128.load32_splat(gramFactorsBase)
  const bigram = v128.load32_splat(gramFactorsBase, 4)
  const trigram = v128.load32_splat(gramFactorsBase, 8)
  const mix = v128.load32_splat(gramFactorsBase, 12)
  for (let first = 0; first < length; first += tileUnits) {
    const end = min(length, first + tileUnits)
    let out = list
    for (let at = first; at < end; at += 8) {
      const units = foldedEight(v128.load(codes + ((<usize>at) << 1)))
      const one = i8x16.shuffle(before, units, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29)
      const two = i8x16.shuffle(before, units, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27)
      before = units
      listFour(
        i32x4.extend_low_i16x8_u(two),
        i32x4.extend_low_i16x8_u(one),
        i32x4.extend_low_i16x8_u(units),
        out,
        shift,
        unigram,
        bigram,
        trigram,
        mix,
      )
      listFour(
        i32x4.extend_high_i16x8_u(two),
        i32x4.extend_high_i16x8_u(one),
        i32x4.extend_high_i16x8_u(units),
        out + 48,
        shift,
        unigram,
        bigram,
        trigram,
        mix,
      )
      out += 96
    }
    if (first == 0) repeatAtStart(list)
    if (end == length) repeatAtEnd(list, out, end - first)
    let sums = i32x4.splat(0)
    let repeated = i16x8.splat(0)
    for (let each = list; each < out; each += 32) {
      let last = i8x16.splat(0)
      let added = i16x8.splat(0)
      const bucket0 = <usize>load<u32>(each)
      last = v128.load8_lane(seen + bucket0, last, 0)
      store<u8>(seen + bucket0, <u8>text)
      added = v128.load16_lane(weights + (bucket0 << 1), added, 0)
      const bucket1 = <usize>load<u32>(each, 4)
      last = v128.load8_lane(seen + bucket1, last, 1)
      store<u8>(seen + bucket1, <u8>text)
      added = v128.load16_lane(weights + (bucket1 << 1), added, 1)
      const bucket2 = <usize>load<u32>(each, 8)
      last = v128.load8_lane(seen + bucket2, last, 2)
      store<u8>(seen + bucket2, <u8>text)
      added = v128.load16_lane(weights + (bucket2 << 1), added, 2)
      const bucket3 = <usize>load<u32>(each, 12)
      last = v128.load8_lane(seen + bucket3, last, 3)
      store<u8>(seen + bucket3, <u8>text)
      added = v128.load16_lane(weights + (bucket3 << 1), added, 3)
      const bucket4 = <usize>load<u32>(each, 16)
      last = v128.load8_lane(seen + bucket4, last, 4)
      store<u8>(seen + bucket4, <u8>text)
      added = v128.load16_lane(weights + (bucket4 << 1), added, 4)
      const bucket5 = <usize>load<u32>(each, 20)
      last = v128.load8_lane(seen + bucket5, last, 5)
      store<u8>(seen + bucket5, <u8>text)
      added = v128.load16_lane(weights + (bucket5 << 1), added, 5)
      const bucket6 = <usize>load<u32>(each, 24)
      last = v128.load8_lane(seen + bucket6, last, 6)
      store<u8>(seen + bucket6, <u8>text)
      added = v128.load16_lane(weights + (bucket6 << 1), added, 6)
      const bucket7 = <usize>load<u32>(each, 28)
      last = v128.load8_lane(seen + bucket7, last, 7)
      store<u8>(seen + bucket7, <u8>text)
      added = v128.load16_lane(weights + (bucket7 << 1), added, 7)
      const isOld = i16x8.extend_low_i8x16_s(i8x16.eq(last, texts))
      repeated = i16x8.sub(repeated, isOld)
      sums = i32x4.add(sums, i32x4.extadd_pairwise_i16x8_s(v128.andnot(added, isOld)))
    }
    total += <i64>sumOfFour(sums)
    count += <i32>((out - list) >> 2) - sumOfFour(i32x4.extadd_pairwise_i16x8_s(repeated))
  }
  gramTotal = <f64>total
  return count
}

/** Writes the buckets of the grams that end at four code units: four of one unit, four of two, four of three. */
// @ts-ignore: decorator
@inline function listFour(
  first: v128,
  second: v128,
  third: v128,
  out: usize,
  shift: i32,
  unigram: v128,
  bigram: v128,
  trigram: v128,
  mix: v128,
): void {
  // x × factor + factor in place of (x + 1) × factor.
  const pairs = v128.xor(i32x4.add(i32x4.mul(second, bigram), bigram), third)
  v128.store(out, mixed(i32x4.add(i32x4.mul(third, unigram), unigram), shift, mix))
  v128.store(out, mixed(i32x4.mul(pairs, bigram), shift, mix), 16)
  v128.store(out, mixed(i32x4.mul(v128.xor(i32x4.add(i32x4.mul(first, trigram), trigram), pairs), trigram), shift, mix), 32)
}

/** Puts a bucket that is listed in place of those of the grams that would begin before the text. */
function repeatAtStart(list: usize): void {
  const listed = load<u32>(list)
  store<u32>(list, listed, 16)
  store<u32>(list, listed, 32)
  store<u32>(list, listed, 36)
}

/** The same for grams that end behind the text: the last tile has `units` code units in eights, up to `out`. */
function repeatAtEnd(list: usize, out: usize, units: i32): void {
  const listed = load<u32>(list)
  for (let at = units; (at & 7) != 0; at++) {
    const place = out - 96 + ((at & 4) != 0 ? 48 : 0) + ((<usize>(at & 3)) << 2)
    store<u32>(place, listed)
    store<u32>(place, listed, 16)
    store<u32>(place, listed, 32)
  }
}

// @ts-ignore: decorator
@inline function mixed(hashes: v128, shift: i32, factor: v128): v128 {
  return i32x4.shr_u(i32x4.mul(v128.xor(hashes, i32x4.shr_u(hashes, 15)), factor), shift)
}

/** Eight code units: digits are one character, letters are lower case, blanks and line ends are one blank. */
// @ts-ignore: decorator
@inline function foldedEight(units: v128): v128 {
  const isDigit = i16x8.lt_u(i16x8.sub(units, i16x8.splat(0x30)), i16x8.splat(10))
  const isUpper = i16x8.lt_u(i16x8.sub(units, i16x8.splat(0x41)), i16x8.splat(26))
  const isBlank = v128.or(
    v128.or(i16x8.eq(units, i16x8.splat(0x09)), i16x8.eq(units, i16x8.splat(0x0a))),
    v128.or(i16x8.eq(units, i16x8.splat(0x0d)), i16x8.eq(units, i16x8.splat(0x3000))),
  )
  const lower = i16x8.add(units, v128.and(isUpper, i16x8.splat(0x20)))
  return v128.bitselect(i16x8.splat(0x20), v128.bitselect(i16x8.splat(0x30), lower, isDigit), isBlank)
}

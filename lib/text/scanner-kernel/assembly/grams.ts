// Sum of the weights of the distinct character 1-, 2- and 3-grams of a text (lib/text/screen/grams.ts, which defines them).

/** Odd multipliers, from the fractional parts of √2, √3 and √5: one for each length of a gram; of the mix, by 2^32 / φ. */
const unigramFactor: i32 = 0x6a09e667
const bigramFactor: i32 = 0xbb67ae85
const trigramFactor: i32 = 0x3c6ef373
const mixFactor: i32 = 0x9e3779b1

/** Sum that the last call of `gramSum` found. */
export let gramTotal: f64 = 0

/** Bits of the number of grams, below their sum in one integer: there are at most 2^21 buckets. */
const countBits: i64 = 24

/**
 * Adds up the weights (i16 each) of the distinct grams of `length` code units, and returns their number. The bucket of a gram
 * is its hash without the low `shift` bits. `seen` has a bit for each bucket, and is cleared. Reads up to 7 units beyond.
 *
 * No branch depends on the text: a processor cannot predict whether a gram was seen.
 */
export function gramSum(codes: usize, length: i32, weights: usize, seen: usize, shift: i32): i32 {
  memory.fill(seen, 0, (<usize>1) << (29 - shift))
  let all: i64 = 0
  let before = i16x8.splat(0)
  if (length > 0) {
    const first = folded(load<u16>(codes))
    all += added(hashOfOne(first) >>> shift, weights, seen)
    before = i16x8.replace_lane(before, 6, <i16>first)
    if (length > 1) {
      const second = folded(load<u16>(codes, 2))
      all += added(hashOfOne(second) >>> shift, weights, seen)
      all += added(hashOfTwo(first, second) >>> shift, weights, seen)
      before = i16x8.replace_lane(before, 7, <i16>second)
    }
  }
  for (let at = 2; at < length; at += 8) {
    const units = foldedEight(v128.load(codes + ((<usize>at) << 1)))
    const one = i8x16.shuffle(before, units, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29)
    const two = i8x16.shuffle(before, units, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27)
    before = units
    const left = length - at
    all += addedFour(
      i32x4.extend_low_i16x8_u(two),
      i32x4.extend_low_i16x8_u(one),
      i32x4.extend_low_i16x8_u(units),
      left,
      weights,
      seen,
      shift,
    )
    if (left <= 4) break
    all += addedFour(
      i32x4.extend_high_i16x8_u(two),
      i32x4.extend_high_i16x8_u(one),
      i32x4.extend_high_i16x8_u(units),
      left - 4,
      weights,
      seen,
      shift,
    )
  }
  gramTotal = <f64>(all >> countBits)
  return <i32>(all & ((1 << countBits) - 1))
}

/** Adds the grams that end at four code units, or at the first `left` of them. */
// @ts-ignore: decorator
@inline function addedFour(first: v128, second: v128, third: v128, left: i32, weights: usize, seen: usize, shift: i32): i64 {
  const plusOne = i32x4.splat(1)
  const bigram = i32x4.splat(bigramFactor)
  const trigram = i32x4.splat(trigramFactor)
  const ones = mixed(i32x4.mul(i32x4.add(third, plusOne), i32x4.splat(unigramFactor)), shift)
  const pairs = v128.xor(i32x4.mul(i32x4.add(second, plusOne), bigram), third)
  const twos = mixed(i32x4.mul(pairs, bigram), shift)
  const threes = mixed(i32x4.mul(v128.xor(i32x4.mul(i32x4.add(first, plusOne), trigram), pairs), trigram), shift)
  let all = added(i32x4.extract_lane(ones, 0), weights, seen)
  all += added(i32x4.extract_lane(twos, 0), weights, seen)
  all += added(i32x4.extract_lane(threes, 0), weights, seen)
  if (left == 1) return all
  all += added(i32x4.extract_lane(ones, 1), weights, seen)
  all += added(i32x4.extract_lane(twos, 1), weights, seen)
  all += added(i32x4.extract_lane(threes, 1), weights, seen)
  if (left == 2) return all
  all += added(i32x4.extract_lane(ones, 2), weights, seen)
  all += added(i32x4.extract_lane(twos, 2), weights, seen)
  all += added(i32x4.extract_lane(threes, 2), weights, seen)
  if (left == 3) return all
  all += added(i32x4.extract_lane(ones, 3), weights, seen)
  all += added(i32x4.extract_lane(twos, 3), weights, seen)
  all += added(i32x4.extract_lane(threes, 3), weights, seen)
  return all
}

/** Marks a bucket; returns its weight and 1 if it was not marked, else 0. */
// @ts-ignore: decorator
@inline function added(bucket: u32, weights: usize, seen: usize): i64 {
  const word = seen + ((<usize>(bucket >>> 5)) << 2)
  const bits = load<u32>(word)
  const isNew = <i64>(((bits >>> (bucket & 31)) & 1) ^ 1)
  store<u32>(word, bits | ((<u32>1) << (bucket & 31)))
  return (((<i64>load<i16>(weights + ((<usize>bucket) << 1))) << countBits) | 1) & -isNew
}

// @ts-ignore: decorator
@inline function mixed(hashes: v128, shift: i32): v128 {
  return i32x4.shr_u(i32x4.mul(v128.xor(hashes, i32x4.shr_u(hashes, 15)), i32x4.splat(mixFactor)), shift)
}

function hashOfOne(unit: u32): u32 {
  return mixedOne((unit + 1) * unigramFactor)
}

function hashOfTwo(first: u32, second: u32): u32 {
  return mixedOne((((first + 1) * bigramFactor) ^ second) * bigramFactor)
}

function mixedOne(hash: u32): u32 {
  return (hash ^ (hash >>> 15)) * mixFactor
}

/** Digits are one character, letters are lower case, blanks and line ends are one blank. */
function folded(code: u32): u32 {
  return <u32>i16x8.extract_lane_u(foldedEight(i16x8.splat(<i16>code)), 0)
}

/** The same of eight code units. */
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

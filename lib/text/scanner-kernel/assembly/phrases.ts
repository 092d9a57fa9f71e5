// Finds phrases of a list in a text (lib/text/phrase-index.ts, which documents the tables).

import { setBitsBase } from './layout'

for (let byte = 0; byte < 256; byte++) {
  let set = setBitsBase + ((<usize>byte) << 3)
  for (let bits = byte; bits != 0; bits &= bits - 1) store<u8>(set++, <u8>ctz(bits))
}

/**
 * Finds the phrases of an index (lib/text/phrase-index.ts, which documents its tables) at the positions from 0 in steps of
 * `step`. Writes the positions to `hits` and the numbers of the phrases to `numbers` (i32 each, capacity `length`); returns
 * how many there are. With two anchors, a phrase may also begin one code unit before its position.
 */
export function phrases(
  codes: usize,
  length: i32,
  step: i32,
  bits: usize,
  slots: usize,
  mask: i32,
  anchors: i32,
  openings: usize,
  hits: usize,
  numbers: usize,
): i32 {
  const pairs = pairHits(codes, length, step, bits, hits)
  const candidates = openings == 0 ? pairs : openingHits(codes, openings, hits, pairs)
  let found = 0
  for (let candidate = 0; candidate < candidates; candidate++) {
    const at = load<i32>(hits + ((<usize>candidate) << 2))
    const phrase = phraseAt(codes, at, length, slots, mask, anchors)
    if (phrase == 0) continue
    store<i32>(hits + ((<usize>found) << 2), at)
    store<i32>(numbers + ((<usize>found) << 2), <i32>load<u16>(phrase, 2))
    found++
  }
  return found
}

/**
 * Sets a bit in `openings` (2^17 bits) for the hash of each phrase of the tables: of its first three code units, or of both. Nearly all
 * positions of common pairs are no phrase, and the bits say so without a look-up.
 */
export function markOpenings(slots: usize, mask: i32, openings: usize): void {
  for (let slot = 0; slot <= mask; slot++) {
    const entry = slots + ((<usize>slot) << 3)
    if (load<u32>(entry) == 0) continue
    const list = slots + <usize>load<u32>(entry, 4)
    let phrase = list + 2
    for (let rest = <i32>load<u16>(list); rest > 0; rest--) {
      const units = <i32>load<u16>(phrase)
      const first = load<u64>(phrase, 4)
      const hash = openingHash(units == 2 ? first & 0xffffffff : first & 0xffffffffffff)
      const byte = openings + <usize>(hash >>> 3)
      store<u8>(byte, load<u8>(byte) | (<u8>1 << <u8>(hash & 7)))
      phrase += 4 + ((<usize>units) << 1)
    }
  }
}

/** Keeps the positions at which, or one before which, a phrase may begin, without a branch that depends on the text. */
function openingHits(codes: usize, openings: usize, hits: usize, count: i32): i32 {
  let kept = 0
  for (let hit = 0; hit < count; hit++) {
    const at = load<i32>(hits + ((<usize>hit) << 2))
    // The code unit before, and three from here on.
    const four = load<u64>(codes + ((<usize>at) << 1) - 2)
    const here = hasOpening(openings, four >>> 16)
    const before = hasOpening(openings, four & 0xffffffffffff)
    const pair = hasOpening(openings, (four >>> 16) & 0xffffffff)
    store<i32>(hits + ((<usize>kept) << 2), at)
    kept += here | before | pair
  }
  return kept
}

// @ts-ignore: decorator
@inline function hasOpening(openings: usize, units: u64): i32 {
  const hash = openingHash(units)
  return (<i32>load<u8>(openings + <usize>(hash >>> 3)) >>> (hash & 7)) & 1
}

// @ts-ignore: decorator
@inline function openingHash(units: u64): i32 {
  return <i32>((units * 0x9e3779b97f4a7c15) >>> 47)
}

/**
 * Lists the positions, up to `length` − 2, at which two code units have their bit set, without a branch that depends on the text. Reads up to 7 units
 * beyond the end, writes up to 8 positions.
 *
 * Each use of a vector of constants costs as much as three steps, and each shuffle of bytes four: loads and shuffles of words do.
 */
export function pairHits(codes: usize, length: i32, step: i32, bits: usize, hits: usize): i32 {
  const factor = i32x4.splat(pairFactor)
  const base = i32x4.splat(<i32>bits)
  const seven = i16x8.splat(7)
  const steps = i16x8.splat(<i16>step)
  const bitOf = i8x16(1, 2, 4, 8, 16, 32, 64, -128, 0, 0, 0, 0, 0, 0, 0, 0)
  let out = hits
  let at = 0
  if (step <= 3) {
    for (; at + 7 * step + 1 < length; at += 8 * step) {
      const from = codes + ((<usize>at) << 1)
      // The pairs at every second position, and those at the others.
      let a = v128.load(from)
      let b: v128
      if (step == 1) b = v128.load(from, 2)
      else if (step == 2) {
        const next = v128.load(from, 16)
        b = i8x16.shuffle(a, next, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31)
        a = i8x16.shuffle(a, next, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27)
      } else {
        b = v128.load(from, 6)
        b = i8x16.shuffle(b, v128.load(from, 30), 0, 1, 2, 3, 12, 13, 14, 15, 16, 17, 18, 19, 28, 29, 30, 31)
        a = i8x16.shuffle(a, v128.load(from, 24), 0, 1, 2, 3, 12, 13, 14, 15, 16, 17, 18, 19, 28, 29, 30, 31)
      }
      a = i32x4.mul(a, factor)
      b = i32x4.mul(b, factor)
      const bytesOfA = i32x4.add(i32x4.shr_u(a, 18), base)
      const bytesOfB = i32x4.add(i32x4.shr_u(b, 18), base)
      let bytes = v128.load8_lane(<usize>i32x4.extract_lane(bytesOfA, 0), bitOf, 0)
      bytes = v128.load8_lane(<usize>i32x4.extract_lane(bytesOfB, 0), bytes, 1)
      bytes = v128.load8_lane(<usize>i32x4.extract_lane(bytesOfA, 1), bytes, 2)
      bytes = v128.load8_lane(<usize>i32x4.extract_lane(bytesOfB, 1), bytes, 3)
      bytes = v128.load8_lane(<usize>i32x4.extract_lane(bytesOfA, 2), bytes, 4)
      bytes = v128.load8_lane(<usize>i32x4.extract_lane(bytesOfB, 2), bytes, 5)
      bytes = v128.load8_lane(<usize>i32x4.extract_lane(bytesOfA, 3), bytes, 6)
      bytes = v128.load8_lane(<usize>i32x4.extract_lane(bytesOfB, 3), bytes, 7)
      const places = v128.and(
        i8x16.shuffle(i32x4.shr_u(a, 15), i32x4.shl(b, 1), 0, 1, 18, 19, 4, 5, 22, 23, 8, 9, 26, 27, 12, 13, 30, 31),
        seven,
      )
      const masks = i8x16.swizzle(bitOf, i8x16.narrow_i16x8_u(places, places))
      const eight = i8x16.bitmask(i8x16.eq(v128.and(bytes, masks), masks)) & 0xff
      // All eight are written: whether one is set cannot be predicted.
      const set = i16x8.mul(v128.load_ext<u8>(setBitsBase + ((<usize>eight) << 3)), steps)
      const start = i32x4.splat(at)
      v128.store(out, i32x4.add(i32x4.extend_low_i16x8_u(set), start))
      v128.store(out, i32x4.add(i32x4.extend_high_i16x8_u(set), start), 16)
      out += (<usize>popcnt(eight)) << 2
    }
  }
  for (; at + 1 < length; at += step) {
    store<i32>(out, at)
    out += (<usize>hasPair(codes, at, bits)) << 2
  }
  return <i32>((out - hits) >> 2)
}

/** Size of the tables of `markedPairs`. */
const markedPairsMask: i32 = 0x3fff

/**
 * Does what `pairHits` does at every position, by a table of 2^14 bytes: 4 for the hashes of few hundred pairs, otherwise 0. Half
 * the work, and more positions that are none.
 */
export function markedPairs(codes: usize, length: i32, table: usize, hits: usize): i32 {
  const factor = i32x4.splat(pairFactor)
  const kept = i32x4.splat(markedPairsMask)
  let out = hits
  let at = 0
  for (; at + 9 <= length; at += 8) {
    const from = codes + ((<usize>at) << 1)
    const a = v128.and(i32x4.shr_u(i32x4.mul(v128.load(from), factor), 15), kept)
    const b = v128.and(i32x4.shr_u(i32x4.mul(v128.load(from, 2), factor), 15), kept)
    out = noteMarked(out, at, table, i32x4.extract_lane(a, 0))
    out = noteMarked(out, at + 1, table, i32x4.extract_lane(b, 0))
    out = noteMarked(out, at + 2, table, i32x4.extract_lane(a, 1))
    out = noteMarked(out, at + 3, table, i32x4.extract_lane(b, 1))
    out = noteMarked(out, at + 4, table, i32x4.extract_lane(a, 2))
    out = noteMarked(out, at + 5, table, i32x4.extract_lane(b, 2))
    out = noteMarked(out, at + 6, table, i32x4.extract_lane(a, 3))
    out = noteMarked(out, at + 7, table, i32x4.extract_lane(b, 3))
  }
  for (; at + 1 < length; at++) out = noteMarked(out, at, table, pairHash(codes, at) & markedPairsMask)
  return <i32>((out - hits) >> 2)
}

// @ts-ignore: decorator
@inline function noteMarked(out: usize, at: i32, table: usize, hash: u32): usize {
  store<i32>(out, at)
  return out + <usize>load<u8>(table + <usize>hash)
}

const pairFactor: i32 = 0x9e3779b1

/** Hash of two code units, of 17 bits. */
// @ts-ignore: decorator
@inline function pairHash(codes: usize, at: i32): u32 {
  return (load<u32>(codes + ((<usize>at) << 1)) * <u32>pairFactor) >>> 15
}

/** Whether the two code units at `at` have their bit set. */
// @ts-ignore: decorator
@inline export function hasPair(codes: usize, at: i32, bits: usize): bool {
  const hash = pairHash(codes, at)
  return ((load<u32>(bits + ((<usize>(hash >>> 5)) << 2)) >>> (hash & 31)) & 1) == 1
}

/**
 * Returns the address of the first phrase in the list of the pair at `at` that matches and ends before `length`: its length,
 * its number and its code units, u16 each; 0 if none does.
 */
export function phraseAt(codes: usize, at: i32, length: i32, slots: usize, mask: i32, anchors: i32): usize {
  const pair = load<u32>(codes + ((<usize>at) << 1))
  const key = rotl<u32>(pair, 16)
  let slot = (<i32>((key * 0x9e3779b1) >>> 15)) & mask
  let found = load<u32>(slots + ((<usize>slot) << 3))
  while (found != key) {
    if (found == 0) return 0
    slot = (slot + 1) & mask
    found = load<u32>(slots + ((<usize>slot) << 3))
  }
  return matchIn(slots + <usize>load<u32>(slots + ((<usize>slot) << 3), 4), codes, at, length, anchors)
}

/** A list: the number of its phrases (u16), then each. */
function matchIn(list: usize, codes: usize, at: i32, length: i32, anchors: i32): usize {
  let phrase = list + 2
  for (let rest = <i32>load<u16>(list); rest > 0; rest--) {
    const units = <i32>load<u16>(phrase)
    for (let start = at; start > at - anchors && start >= 0; start--) {
      if (start + units <= length && same(codes + ((<usize>start) << 1), phrase + 4, units)) return phrase
    }
    phrase += 4 + ((<usize>units) << 1)
  }
  return 0
}

function same(codes: usize, phrase: usize, units: i32): bool {
  const end = codes + ((<usize>units) << 1)
  for (let unit = codes, other = phrase; unit < end; unit += 2, other += 2) {
    if (load<u16>(unit) != load<u16>(other)) return false
  }
  return true
}

// The kernel: UTF-16 text in linear memory → comparison form → 128-bit fingerprint and MinHash signature.
// One call per text. lib/text/kernel/reference-kernel.ts is the reference in plain TypeScript; lib/text/signature.ts fills the
// tables, writes the text, and uses String.normalize where `sign` returns −1.

import { needsNormalize, pictureHigh } from './fold-tables'
export { foldPictures, foldUnits, resetFold, writePictures, writeUnits } from './fold-tables'

// Memory layout, in bytes. The host reads the exported addresses.
export const foldBase: usize = 1024 // u16[65536]: UTF-16 unit → folded unit; see `fold`
export const expansionBase: usize = 132096 // u64[2046]: up to four units, first in the low bits
export const pictureBase: usize = 148480 // u8[3072]: 1 where U+1F000 … U+1FBFF folds to nothing, whatever surrounds it
export const keyBase: usize = 151552 // u32[roundsMax + 512]: keys of the rounds, then of the bins
const minimaBase: usize = 153728 // u32[512 + 4]
export const signatureBase: usize = 155792 // u8[512]
export const fingerprintBase: usize = 156304 // u8[16]
const hashBase: usize = 156320 // u32[tileShingles + 4]
const valueBase: usize = 164528 // u32[tileShingles + 4]
const roundBase: usize = 172736 // u32[512 + 4]: least hashes of the bins in a round after the first
export const inputBase: usize = 174800 // u16[]: the text; the host places the form after it

export const binsMax: i32 = 512
/** Rounds in which shingles are hashed to bins; a bin that is still empty takes the minimum over all shingles. */
export const roundsMax: i32 = 32
const empty: u32 = 0xffffffff
/** Shingle hashes per tile: 8 KiB, so that passes over them stay in the first-level cache. */
const tileShingles: i32 = 2048
const slow: i32 = -1

/**
 * Signs `units` code units at `inputBase`: writes the form to `formBase`, fingerprint and signature to their addresses.
 * `bins` may be 0. Returns the code units of the form, or −1 if the text needs String.normalize or the form exceeds
 * `formUnitsMax`; then nothing is signed.
 */
export function sign(units: i32, formBase: usize, formUnitsMax: i32, bins: i32, ngram: i32): i32 {
  const letters = fold(units, formBase, formUnitsMax)
  if (letters != slow) signForm(formBase, letters, bins, ngram)
  return letters
}

/** Signs the comparison form at `formBase`, which is followed by 16 free bytes. */
export function signForm(formBase: usize, letters: i32, bins: i32, ngram: i32): void {
  fingerprint(formBase, letters << 1)
  if (bins == 0) return
  minima(formBase, letters - ngram + 1, bins, ngram)
  bytesOfMinima(bins)
}

/**
 * A folded unit of 0 drops the unit; 0xD800 + i writes expansion i; 0xDFFE is the first half of a picture
 * (emoji), dropped with its second half if the table allows it; 0xDFFF requires String.normalize.
 */
function fold(units: i32, formBase: usize, formUnitsMax: i32): i32 {
  let at = inputBase
  const end = at + (<usize>units << 1)
  let out = formBase
  const outEnd = formBase + (<usize>formUnitsMax << 1)
  while (at < end) {
    const folded = <u32>load<u16>(foldBase + (<usize>load<u16>(at) << 1))
    if ((folded & 0xf800) != 0xd800) {
      store<u16>(out, <u16>folded)
      out += <usize>(folded != 0) << 1
      at += 2
      continue
    }
    if (folded == needsNormalize) return slow
    if (folded == pictureHigh) {
      if (at + 2 >= end) return slow
      const high = <u32>load<u16>(at) - 0xd83c
      const low = <u32>load<u16>(at + 2) - 0xdc00
      if (low >= 0x400) return slow
      if (load<u8>(pictureBase + ((high << 10) | low)) == 0) return slow
      at += 4
      continue
    }
    let rest = load<u64>(expansionBase + (<usize>(folded - 0xd800) << 3))
    at += 2
    // Each remaining unit may need one place. Checked only here, because nothing else writes more than it reads.
    if (out + 8 + (end - at) > outEnd) return slow
    while (rest != 0) {
      store<u16>(out, <u16>rest)
      out += 2
      rest >>= 16
    }
  }
  return <i32>((out - formBase) >> 1)
}

/** MurmurHash3 x86 128 (Austin Appleby, public domain), seed 0. The tail is read as zero-padded words: a zero word adds nothing. */
function fingerprint(base: usize, lengthBytes: i32): void {
  const end = base + <usize>lengthBytes
  store<u64>(end, 0)
  store<u64>(end + 8, 0)
  let h1: u32 = 0
  let h2: u32 = 0
  let h3: u32 = 0
  let h4: u32 = 0
  const bodyEnd = base + (<usize>lengthBytes & ~15)
  let at = base
  for (; at < bodyEnd; at += 16) {
    h1 ^= scramble1(load<u32>(at))
    h1 = (rotl<u32>(h1, 19) + h2) * 5 + 0x561ccd1b
    h2 ^= scramble2(load<u32>(at, 4))
    h2 = (rotl<u32>(h2, 17) + h3) * 5 + 0x0bcaa747
    h3 ^= scramble3(load<u32>(at, 8))
    h3 = (rotl<u32>(h3, 15) + h4) * 5 + 0x96cd1c35
    h4 ^= scramble4(load<u32>(at, 12))
    h4 = (rotl<u32>(h4, 13) + h1) * 5 + 0x32ac3b17
  }
  if (at < end) {
    h4 ^= scramble4(load<u32>(at, 12))
    h3 ^= scramble3(load<u32>(at, 8))
    h2 ^= scramble2(load<u32>(at, 4))
    h1 ^= scramble1(load<u32>(at))
  }
  const length = <u32>lengthBytes
  h1 ^= length
  h2 ^= length
  h3 ^= length
  h4 ^= length
  h1 += h2 + h3 + h4
  h2 += h1
  h3 += h1
  h4 += h1
  h1 = mix(h1)
  h2 = mix(h2)
  h3 = mix(h3)
  h4 = mix(h4)
  h1 += h2 + h3 + h4
  store<u32>(fingerprintBase, h1)
  store<u32>(fingerprintBase, h2 + h1, 4)
  store<u32>(fingerprintBase, h3 + h1, 8)
  store<u32>(fingerprintBase, h4 + h1, 12)
}

// @ts-ignore: decorator
@inline function scramble1(k: u32): u32 { return rotl<u32>(k * 0x239b961b, 15) * 0xab0e9789 }
// @ts-ignore: decorator
@inline function scramble2(k: u32): u32 { return rotl<u32>(k * 0xab0e9789, 16) * 0x38b34ae5 }
// @ts-ignore: decorator
@inline function scramble3(k: u32): u32 { return rotl<u32>(k * 0x38b34ae5, 17) * 0xa1e38b93 }
// @ts-ignore: decorator
@inline function scramble4(k: u32): u32 { return rotl<u32>(k * 0xa1e38b93, 18) * 0x239b961b }

// @ts-ignore: decorator
@inline function mix(value: u32): u32 {
  let h = value
  h = (h ^ (h >>> 16)) * 0x85ebca6b
  h = (h ^ (h >>> 13)) * 0xc2b2ae35
  return h ^ (h >>> 16)
}

/**
 * Fast similarity sketching (Dahlgaard, Knudsen, Thorup, FOCS 2017): in each round every shingle is hashed to one bin, with
 * another hash function per round, and a bin keeps the least hash of the first round that reaches it. Most texts need two
 * rounds, where k permutations would take k hashes per shingle.
 */
function minima(formBase: usize, shingles: i32, bins: i32, ngram: i32): void {
  // Those beyond the last bin are not empty: `fillFrom` reads four at a time.
  memory.fill(minimaBase + (<usize>bins << 2), 0, 12)
  memory.fill(minimaBase, 0xff, <usize>bins << 2)
  if (shingles <= 0) return
  for (let round = 0; round < roundsMax; round++) {
    const key = load<u32>(keyBase + (<usize>round << 2))
    const into = round == 0 ? minimaBase : roundBase
    if (round > 0) memory.fill(roundBase, 0xff, <usize>bins << 2)
    for (let first = 0; first < shingles; first += tileShingles) {
      const count = min(tileShingles, shingles - first)
      // The only tile of a text is hashed once.
      if (round == 0 || shingles > tileShingles) hashShingles(formBase + (<usize>first << 1), count, ngram)
      valuesOf(count, key)
      hashToBins(count, bins, into)
    }
    if (!fillFrom(into, bins)) return
  }
  for (let bin = 0; bin < bins; bin++) {
    const at = minimaBase + (<usize>bin << 2)
    if (load<u32>(at) == empty) store<u32>(at, leastOf(formBase, shingles, load<u32>(keyBase + (<usize>(roundsMax + bin) << 2)), ngram))
  }
}

/** Fills the empty bins from those of a round; returns whether any is left. */
function fillFrom(round: usize, bins: i32): bool {
  const empties = i32x4.splat(-1)
  let any = i32x4.splat(0)
  for (let bin: usize = 0; bin < <usize>bins; bin += 4) {
    const at = minimaBase + (bin << 2)
    const least = v128.load(at)
    const filled = v128.bitselect(v128.load(round + (bin << 2)), least, i32x4.eq(least, empties))
    v128.store(at, filled)
    any = v128.or(any, i32x4.eq(filled, empties))
  }
  return v128.any_true(any)
}

/** Computes the hashes of a round from those of the shingles, four per step; writes up to three more than `count`. */
function valuesOf(count: i32, key: u32): void {
  const keys = i32x4.splat(key)
  const end = <usize>count << 2
  for (let at: usize = 0; at < end; at += 16) {
    v128.store(valueBase + at, mixFour(v128.xor(v128.load(hashBase + at), keys)))
  }
}

/**
 * Notes the least hash of each bin, of all bins, also where few of them are empty: a branch on that, or on the lesser of two
 * hashes, is unpredictable.
 */
function hashToBins(count: i32, bins: i32, into: usize): void {
  const end = valueBase + (<usize>count << 2)
  const fours = valueBase + (<usize>(count & ~3) << 2)
  let at = valueBase
  for (; at < fours; at += 16) {
    toBin(load<u32>(at), bins, into)
    toBin(load<u32>(at, 4), bins, into)
    toBin(load<u32>(at, 8), bins, into)
    toBin(load<u32>(at, 12), bins, into)
  }
  for (; at < end; at += 4) toBin(load<u32>(at), bins, into)
}

// @ts-ignore: decorator
@inline function toBin(value: u32, bins: i32, into: usize): void {
  const place = into + ((<usize>((<u64>value * <u64>bins) >> 32)) << 2)
  store<u32>(place, min<u32>(load<u32>(place), value))
}

/** Returns the least hash of all shingles with the key of a bin, for the few bins that no round reached. */
function leastOf(formBase: usize, shingles: i32, key: u32, ngram: i32): u32 {
  let least = empty
  for (let first = 0; first < shingles; first += tileShingles) {
    const count = min(tileShingles, shingles - first)
    if (shingles > tileShingles) hashShingles(formBase + (<usize>first << 1), count, ngram)
    valuesOf(count, key)
    const end = valueBase + (<usize>count << 2)
    for (let at = valueBase; at < end; at += 4) least = min<u32>(least, load<u32>(at))
  }
  return least
}

/** Hashes shingles, four per step, by a polynomial over the code units. Writes up to three more than `count`. */
function hashShingles(base: usize, count: i32, ngram: i32): void {
  const spread = i32x4.splat(0x9e3779b1)
  if (ngram == 5) {
    for (let at = 0; at < count; at += 4) {
      const from = base + (<usize>at << 1)
      let h = v128.load_ext<u16>(from)
      h = i32x4.add(i32x4.mul(h, spread), v128.load_ext<u16>(from, 2))
      h = i32x4.add(i32x4.mul(h, spread), v128.load_ext<u16>(from, 4))
      h = i32x4.add(i32x4.mul(h, spread), v128.load_ext<u16>(from, 6))
      h = i32x4.add(i32x4.mul(h, spread), v128.load_ext<u16>(from, 8))
      v128.store(hashBase + (<usize>at << 2), h)
    }
    return
  }
  for (let at = 0; at < count; at += 4) {
    const from = base + (<usize>at << 1)
    let h = v128.load_ext<u16>(from)
    for (let j = 1; j < ngram; j++) {
      h = i32x4.add(i32x4.mul(h, spread), v128.load_ext<u16>(from + (<usize>j << 1)))
    }
    v128.store(hashBase + (<usize>at << 2), h)
  }
}

/** `mix` of four values. */
// @ts-ignore: decorator
@inline function mixFour(values: v128): v128 {
  let h = values
  h = i32x4.mul(v128.xor(h, i32x4.shr_u(h, 16)), i32x4.splat(0x85ebca6b))
  h = i32x4.mul(v128.xor(h, i32x4.shr_u(h, 13)), i32x4.splat(0xc2b2ae35))
  return v128.xor(h, i32x4.shr_u(h, 16))
}

/** Writes one byte per minimum, which depends on all its bits; sixteen per step. */
function bytesOfMinima(bins: i32): void {
  for (let at: usize = 0; at < <usize>bins; at += 16) {
    const from = minimaBase + (at << 2)
    const low = i16x8.narrow_i32x4_u(bytesOf(v128.load(from)), bytesOf(v128.load(from, 16)))
    const high = i16x8.narrow_i32x4_u(bytesOf(v128.load(from, 32)), bytesOf(v128.load(from, 48)))
    v128.store(signatureBase + at, i8x16.narrow_i16x8_u(low, high))
  }
}

// @ts-ignore: decorator
@inline function bytesOf(minima: v128): v128 {
  return i32x4.shr_u(i32x4.mul(v128.xor(minima, i32x4.shr_u(minima, 16)), i32x4.splat(0x85ebca6b)), 24)
}

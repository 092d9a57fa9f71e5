// The loops over code units that take most of the time before a text is signed: finding code units other than Han, copying
// the plain part of a JSON string, finding repeated n-grams and pairs of code units that may begin a phrase. lib/text/text-memory.ts owns the memory; the callers are
// text-scanner.ts, flat-record.ts and repetition.ts.

/** Two tables of 65,536 classes, followed by the memory of the host. */
export const classesBase: usize = 1024
export const settledClassesBase: usize = 1024 + 65536
export const hostBase: usize = 1024 + 2 * 65536

/**
 * Writes the positions of the code units whose class is not 0 to `marks` (i32 each, capacity `length` + 8); returns their
 * number. Most code units are Han of U+4E00 … U+9FFF, class 0, of which eight are tested at a time. Reads up to 7 units
 * beyond the end.
 */
export function mark(source: usize, length: i32, classes: usize, marks: usize): i32 {
  const first = i16x8.splat(0x4e00)
  const span = i16x8.splat(0x51ff)
  let out = marks
  for (let at = 0; at < length; at += 8) {
    const units = v128.load(source + ((<usize>at) << 1))
    let others = i16x8.bitmask(i16x8.gt_u(i16x8.sub(units, first), span))
    for (; others != 0; others &= others - 1) {
      const place = at + ctz(others)
      store<i32>(out, place)
      out += (<usize>(load<u8>(classes + <usize>load<u16>(source + ((<usize>place) << 1))) != 0 && place < length)) << 2
    }
  }
  return <i32>((out - marks) >> 2)
}

/**
 * Copies code units from `units` to `out` up to the first quote, backslash or control character, of which there must be one;
 * returns their number. Reads and writes up to 7 units beyond.
 */
export function copyPlain(units: usize, out: usize): i32 {
  const quote = i16x8.splat(0x22)
  const backslash = i16x8.splat(0x5c)
  const space = i16x8.splat(0x20)
  let at: usize = 0
  let special: i32 = 0
  for (; special == 0; at += 16) {
    const eight = v128.load(units + at)
    v128.store(out + at, eight)
    special = i16x8.bitmask(
      v128.or(v128.or(i16x8.eq(eight, quote), i16x8.eq(eight, backslash)), i16x8.lt_u(eight, space)),
    )
  }
  return (<i32>(at - 16) >> 1) + ctz(special)
}

/**
 * Returns the number of n-grams of `gramUnits` code units that occur more than once, first occurrences included, and adds
 * all of them to `slots`. `sums` (i32[length + 1], the first 0) become the hashes of the text up to each position; that of
 * an n-gram is a difference of two. `slots` has `mask` + 1 entries, all 0 before; hashes are stored xor `salt`, and their
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
 * Writes to `hits` (i32 each, capacity `length`) the positions, from 0 in steps of `step`, at which two code units have
 * their bit set in `bits`; returns their number. The hash is that of lib/text/phrase-index.ts.
 */
export function pairHits(codes: usize, length: i32, step: i32, bits: usize, hits: usize): i32 {
  let out = hits
  for (let at = 0; at + 1 < length; at += step) {
    const pair = load<u32>(codes + ((<usize>at) << 1))
    const hash = (((pair & 0xffff) * 0x9e35) ^ (pair >>> 16)) & 0x1ffff
    store<i32>(out, at)
    out += (<usize>((load<u32>(bits + ((<usize>(hash >>> 5)) << 2)) >>> (hash & 31)) & 1)) << 2
  }
  return <i32>((out - hits) >> 2)
}

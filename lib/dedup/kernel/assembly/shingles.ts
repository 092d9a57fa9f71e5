// The shingle sets of two texts, compared: by 63 bits of a hash of each shingle.
import { mixed } from './hashes'

/** Multiplier of the hash of a shingle, a polynomial of its code units modulo 2^64: odd. */
const base: u64 = 0x9e3779b97f4a7c15
/** In an entry: the second text has the shingle as well. The other bits are of its hash; 0 is a free entry. */
const inOther: u64 = 1

/** Shingles that both texts have, and those that one of them has. */
let both: u32 = 0
let union: u32 = 0

/**
 * Compares two texts, given as code units of their comparison forms.
 *
 * @param table zeroed by this function · slots its number of u64, a power of two, at least twice the number of all units
 * @returns number of shingles that both have; `unionOfShingles` has that of the shingles of either
 */
export function compareShingles(one: usize, units: u32, other: usize, otherUnits: u32, ngram: u32, table: usize, slots: u32): u32 {
  memory.fill(table, 0, <usize>slots << 3)
  both = 0
  union = 0
  enter(one, units, ngram, table, slots - 1, 0)
  enter(other, otherUnits, ngram, table, slots - 1, inOther)
  return both
}

export function unionOfShingles(): u32 {
  return union
}

@inline
function enter(form: usize, units: u32, ngram: u32, table: usize, mask: u32, mark: u64): void {
  let leaving: u64 = 1
  for (let i: u32 = 0; i < ngram; i++) leaving *= base
  let hash: u64 = 0
  for (let at: u32 = 0; at < units; at++) {
    hash = hash * base + unitAt(form, at)
    if (at + 1 < ngram) continue
    if (at >= ngram) hash -= unitAt(form, at - ngram) * leaving
    const key = (mixed(hash) | inOther) ^ inOther
    const entry = key == 0 ? 2 : key
    let slot = <u32>(entry >> 32) & mask
    for (;;) {
      const place = table + (<usize>slot << 3)
      const found = load<u64>(place)
      if (found == 0) {
        store<u64>(place, entry | mark)
        union++
        break
      }
      if (((found | inOther) ^ inOther) == entry) {
        if (mark != 0 && (found & inOther) == 0) {
          both++
          store<u64>(place, found | mark)
        }
        break
      }
      slot = (slot + 1) & mask
    }
  }
}

@inline
function unitAt(form: usize, at: u32): u64 {
  // Not 0, which would make shingles of different lengths equal.
  return <u64>load<u16>(form + (<usize>at << 1)) + 1
}

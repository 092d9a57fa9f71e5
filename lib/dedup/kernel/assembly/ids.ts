// Ids of the rows of a block: the first half of the SHA-256 of JSON, `prefix offset , chunk ]`. Four at a time, one per lane.
import { take } from './memory'

const constants: usize = memory.data<u32>([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01,
  0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc,
  0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
  0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08,
  0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
  0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
])
const initial: usize = memory.data<u32>([
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
])
const blockBytes: u32 = 64
/** After the prefix's last whole block: at most 63 bytes of it, 17 digits, a comma, 11 characters, a bracket, padding, length. */
const tailBytes: usize = 192

/** Four messages, their schedule, and the state after the whole blocks of the prefix and now; v128 per word. */
let tails: usize = 0
let schedule: usize = 0
let begun: usize = 0
let state: usize = 0

/**
 * Hashes ids of rows, 16 bytes each.
 *
 * @param offsets f64: non-negative integers below 2^53 · chunks i32
 */
export function hashIds(prefix: usize, prefixBytes: u32, offsets: usize, chunks: usize, from: u32, until: u32, ids: usize): void {
  if (tails == 0) {
    tails = take(tailBytes << 2)
    schedule = take(64 << 4)
    begun = take(8 << 4)
    state = take(8 << 4)
  }
  const whole = prefixBytes & ~(blockBytes - 1)
  for (let i: usize = 0; i < 8; i++) v128.store(state + (i << 4), v128.load32_splat(initial + (i << 2)))
  for (let at: u32 = 0; at < whole; at += blockBytes) {
    const block = prefix + <usize>at
    compress(block, block, block, block, i32x4.splat(-1))
  }
  for (let i: usize = 0; i < 8 << 4; i += 16) v128.store(begun + i, v128.load(state + i))
  for (let row = from; row < until; row += 4) {
    const lanes = min<u32>(4, until - row)
    let blocks = i32x4.splat(0)
    for (let lane: u32 = 0; lane < 4; lane++) {
      const own = row + min(lane, lanes - 1)
      const count = setTail(
        tails + <usize>lane * tailBytes,
        prefix + <usize>whole,
        prefixBytes - whole,
        prefixBytes,
        load<f64>(offsets + (<usize>own << 3)),
        load<i32>(chunks + (<usize>own << 2)),
      )
      if (lane == 0) blocks = i32x4.replace_lane(blocks, 0, count)
      else if (lane == 1) blocks = i32x4.replace_lane(blocks, 1, count)
      else if (lane == 2) blocks = i32x4.replace_lane(blocks, 2, count)
      else blocks = i32x4.replace_lane(blocks, 3, count)
    }
    for (let i: usize = 0; i < 8 << 4; i += 16) v128.store(state + i, v128.load(begun + i))
    for (let block: u32 = 0; ; block++) {
      const going = i32x4.gt_s(blocks, i32x4.splat(block))
      if (!v128.any_true(going)) break
      const at = tails + <usize>(block * blockBytes)
      compress(at, at + tailBytes, at + 2 * tailBytes, at + 3 * tailBytes, going)
    }
    for (let lane: u32 = 0; lane < lanes; lane++) {
      const id = ids + (<usize>(row + lane) << 4)
      for (let i: usize = 0; i < 4; i++) {
        store<u32>(id + (i << 2), bswap(load<u32>(state + (i << 4) + (<usize>lane << 2))))
      }
    }
  }
}

/** Writes the last blocks of a message; returns their number. */
function setTail(tail: usize, rest: usize, restBytes: u32, prefixBytes: u32, offset: f64, chunk: i32): i32 {
  memory.fill(tail, 0, tailBytes)
  for (let i: u32 = 0; i < restBytes; i++) store<u8>(tail + <usize>i, load<u8>(rest + <usize>i))
  let end = decimal(tail + <usize>restBytes, <u64>offset)
  store<u8>(end++, 0x2c)
  if (chunk < 0) store<u8>(end++, 0x2d)
  end = decimal(end, chunk < 0 ? <u64>-(<i64>chunk) : <u64>chunk)
  store<u8>(end++, 0x5d)
  const bytes = <u32>(end - tail)
  store<u8>(end, 0x80)
  const blocks = (bytes + 9 + blockBytes - 1) / blockBytes
  const bits = (<u64>(prefixBytes - restBytes) + <u64>bytes) << 3
  store<u64>(tail + <usize>(blocks * blockBytes) - 8, bswap<u64>(bits))
  return <i32>blocks
}

/** Writes digits; returns the address after them. */
function decimal(at: usize, value: u64): usize {
  let digits: usize = 1
  for (let rest = value; rest > 9; rest /= 10) digits++
  let rest = value
  for (let i = digits; i > 0; i--) {
    store<u8>(at + i - 1, <u8>(0x30 + rest % 10))
    rest /= 10
  }
  return at + digits
}

@inline
function rotated(value: v128, bits: i32): v128 {
  return v128.or(i32x4.shr_u(value, bits), i32x4.shl(value, 32 - bits))
}

/** Four words of a message, in the order of the processor. */
@inline
function words(at: usize): v128 {
  return i8x16.shuffle(v128.load(at), v128.load(at), 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12)
}

/** Adds a block of each message to the state of the lanes in `going`. */
function compress(first: usize, second: usize, third: usize, fourth: usize, going: v128): void {
  for (let at: usize = 0; at < 64; at += 16) {
    const one = words(first + at)
    const two = words(second + at)
    const three = words(third + at)
    const four = words(fourth + at)
    const target = schedule + (at << 2)
    const low = i32x4.shuffle(one, two, 0, 4, 1, 5)
    const high = i32x4.shuffle(one, two, 2, 6, 3, 7)
    const lowOther = i32x4.shuffle(three, four, 0, 4, 1, 5)
    const highOther = i32x4.shuffle(three, four, 2, 6, 3, 7)
    v128.store(target, i64x2.shuffle(low, lowOther, 0, 2))
    v128.store(target, i64x2.shuffle(low, lowOther, 1, 3), 16)
    v128.store(target, i64x2.shuffle(high, highOther, 0, 2), 32)
    v128.store(target, i64x2.shuffle(high, highOther, 1, 3), 48)
  }
  for (let at = schedule + (16 << 4); at < schedule + (64 << 4); at += 16) {
    const early = v128.load(at - (15 << 4))
    const late = v128.load(at - (2 << 4))
    const fromEarly = v128.xor(v128.xor(rotated(early, 7), rotated(early, 18)), i32x4.shr_u(early, 3))
    const fromLate = v128.xor(v128.xor(rotated(late, 17), rotated(late, 19)), i32x4.shr_u(late, 10))
    v128.store(at, i32x4.add(i32x4.add(v128.load(at - (16 << 4)), fromEarly), i32x4.add(v128.load(at - (7 << 4)), fromLate)))
  }
  let a = v128.load(state)
  let b = v128.load(state, 16)
  let c = v128.load(state, 32)
  let d = v128.load(state, 48)
  let e = v128.load(state, 64)
  let f = v128.load(state, 80)
  let g = v128.load(state, 96)
  let h = v128.load(state, 112)
  for (let i: usize = 0; i < 64; i++) {
    const mixed = v128.xor(v128.xor(rotated(e, 6), rotated(e, 11)), rotated(e, 25))
    const word = i32x4.add(v128.load(schedule + (i << 4)), v128.load32_splat(constants + (i << 2)))
    const one = i32x4.add(i32x4.add(h, mixed), i32x4.add(v128.bitselect(f, g, e), word))
    const other = v128.xor(v128.xor(rotated(a, 2), rotated(a, 13)), rotated(a, 22))
    const majority = v128.bitselect(v128.or(b, c), v128.and(b, c), a)
    h = g
    g = f
    f = e
    e = i32x4.add(d, one)
    d = c
    c = b
    b = a
    a = i32x4.add(one, i32x4.add(other, majority))
  }
  addTo(state, a, going)
  addTo(state + 16, b, going)
  addTo(state + 32, c, going)
  addTo(state + 48, d, going)
  addTo(state + 64, e, going)
  addTo(state + 80, f, going)
  addTo(state + 96, g, going)
  addTo(state + 112, h, going)
}

@inline
function addTo(at: usize, value: v128, going: v128): void {
  v128.store(at, i32x4.add(v128.load(at), v128.and(value, going)))
}

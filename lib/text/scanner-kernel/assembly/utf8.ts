// Strings of JSON in UTF-8 to UTF-16, and UTF-16 to UTF-8, for valid text. Chinese is nearly all characters of three bytes, of which five are read and
// eight are written at a time.

import { ordersBase } from './layout'

/** Bytes that `readString` read. */
export let stringBytes: i32 = 0

/**
 * Writes a JSON string in valid UTF-8 as UTF-16 without its escapes, up to its closing quote, and returns the number of code units;
 * −1 at a control character, of which there must be one after a string without an end, or an escape that is not valid. Reads up
 * to 15 bytes and writes up to 15 units beyond.
 */
export function readString(bytes: usize, units: usize): i32 {
  const markBits = i8x16(-16, -64, -64, -16, -64, -64, -16, -64, -64, -16, -64, -64, -16, -64, -64, 0)
  const marks = i8x16(-32, -128, -128, -32, -128, -128, -32, -128, -128, -32, -128, -128, -32, -128, -128, 0)
  const zero = i8x16.splat(0)
  const lowBits = i16x8.splat(0x3f)
  const quotes = i8x16.splat(0x22)
  const backslashes = i8x16.splat(0x5c)
  const space = i8x16.splat(0x20)
  let at = bytes
  let out = units
  for (;;) {
    const sixteen = v128.load(at)
    const fits = i8x16.bitmask(i8x16.eq(v128.and(sixteen, markBits), marks))
    // Bit 15 compares 0 with 0.
    const threes = ctz(~fits)
    if (threes >= 3) {
      const first = i8x16.swizzle(sixteen, i8x16(0, -1, 3, -1, 6, -1, 9, -1, 12, -1, -1, -1, -1, -1, -1, -1))
      const second = i8x16.swizzle(sixteen, i8x16(1, -1, 4, -1, 7, -1, 10, -1, 13, -1, -1, -1, -1, -1, -1, -1))
      const third = i8x16.swizzle(sixteen, i8x16(2, -1, 5, -1, 8, -1, 11, -1, 14, -1, -1, -1, -1, -1, -1, -1))
      v128.store(
        out,
        v128.or(
          v128.or(i16x8.shl(first, 12), i16x8.shl(v128.and(second, lowBits), 6)),
          v128.and(third, lowBits),
        ),
      )
      // A constant step: the next one need not wait for what this one finds.
      if (threes == 16) {
        at += 15
        out += 10
        continue
      }
      const whole = <usize>(threes / 3)
      at += whole * 3
      out += whole << 1
      continue
    }
    const lead = <u32>load<u8>(at)
    if (lead < 0x80) {
      v128.store(out, i8x16.shuffle(sixteen, zero, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23))
      v128.store(out, i8x16.shuffle(sixteen, zero, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31), 16)
      const special = v128.or(
        v128.or(i8x16.eq(sixteen, quotes), i8x16.eq(sixteen, backslashes)),
        // As signed bytes, those that are not ASCII are below the space too.
        i8x16.lt_s(sixteen, space),
      )
      const plain = <usize>ctz(i8x16.bitmask(special) | 0x10000)
      at += plain
      out += plain << 1
      if (plain == 16) continue
      let unit = <u32>load<u8>(at)
      if (unit == 0x22) break
      if (unit < 0x20) return -1
      // Escapes come in runs.
      while (unit == 0x5c) {
        const escaped = <u32>load<u8>(at, 1)
        let code = escapedBy(escaped)
        at += 2
        if (escaped == 0x75) {
          code = hexOf(at)
          at += 4
        }
        if (code < 0) return -1
        store<u16>(out, <u16>code)
        out += 2
        unit = <u32>load<u8>(at)
      }
      continue
    }
    const next = <u32>load<u8>(at, 1) & 0x3f
    if (lead < 0xe0) {
      store<u16>(out, <u16>(((lead & 0x1f) << 6) | next))
      at += 2
      out += 2
    } else {
      const code =
        (((lead & 7) << 18) | (next << 12) | ((<u32>load<u8>(at, 2) & 0x3f) << 6) | (<u32>load<u8>(at, 3) & 0x3f)) - 0x10000
      store<u16>(out, <u16>(0xd800 | (code >>> 10)))
      store<u16>(out, <u16>(0xdc00 | (code & 0x3ff)), 2)
      at += 4
      out += 4
    }
  }
  stringBytes = <i32>(at + 1 - bytes)
  return <i32>((out - units) >> 1)
}

/** The code unit of an escape by the character after the backslash; −1 if it is none. */
function escapedBy(character: u32): i32 {
  switch (character) {
    case 0x22:
    case 0x5c:
    case 0x2f:
      return <i32>character
    case 0x6e:
      return 0x0a
    case 0x74:
      return 0x09
    case 0x72:
      return 0x0d
    case 0x62:
      return 0x08
    case 0x66:
      return 0x0c
  }
  return -1
}

/** The code unit of four hexadecimal digits; −1 if they are not digits. */
function hexOf(bytes: usize): i32 {
  let code: i32 = 0
  for (let byte = bytes; byte < bytes + 4; byte++) {
    const digit = hexDigit(<i32>load<u8>(byte))
    if (digit < 0) return -1
    code = (code << 4) | digit
  }
  return code
}

function hexDigit(byte: i32): i32 {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const letter = byte | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1
}

for (let ascii = 0; ascii < 16; ascii++) {
  let order = ordersBase + ((<usize>ascii) << 4)
  for (let unit = 0; unit < 4; unit++) {
    const taken = ((ascii >>> unit) & 1) != 0 ? 1 : 3
    for (let byte = 0; byte < taken; byte++) store<u8>(order++, <u8>(4 * unit + byte))
  }
}

/**
 * Writes units[0 … length), well-formed UTF-16, as UTF-8; returns the number of bytes. Reads up to 7 units and writes up to
 * 21 bytes beyond.
 */
export function encodeUtf8(units: usize, length: i32, bytes: usize): i32 {
  const least = i16x8.splat(0x800)
  const surrogates = i16x8.splat(<i16>0xf800)
  const surrogate = i16x8.splat(<i16>0xd800)
  const asciiEnd = i16x8.splat(0x80)
  const lowBits = i16x8.splat(0x3f)
  const leads = i16x8.splat(0xe0)
  const tails = i16x8.splat(0x80)
  const end = units + ((<usize>length) << 1)
  let at = units
  let out = bytes
  while (at < end) {
    const eight = v128.load(at)
    const isAscii = i16x8.lt_u(eight, asciiEnd)
    const isShort = i16x8.lt_u(eight, least)
    const isSurrogate = i16x8.eq(v128.and(eight, surrogates), surrogate)
    // Neither one byte nor three.
    const odd = i16x8.bitmask(v128.or(v128.andnot(isShort, isAscii), isSurrogate))
    const first = v128.or(i16x8.shr_u(eight, 12), leads)
    const second = v128.or(v128.and(i16x8.shr_u(eight, 6), lowBits), tails)
    const third = v128.or(v128.and(eight, lowBits), tails)
    const pairs = v128.or(first, i16x8.shl(second, 8))
    if (odd == 0 && end - at >= 16) {
      // An ASCII unit is its own first byte.
      const starts = v128.bitselect(eight, pairs, isAscii)
      const low = i8x16.shuffle(starts, third, 0, 1, 16, 17, 2, 3, 18, 19, 4, 5, 20, 21, 6, 7, 22, 23)
      const high = i8x16.shuffle(starts, third, 8, 9, 24, 25, 10, 11, 26, 27, 12, 13, 28, 29, 14, 15, 30, 31)
      const ascii = i16x8.bitmask(isAscii)
      v128.store(out, i8x16.swizzle(low, v128.load(ordersBase + (<usize>(ascii & 15) << 4))))
      out += 12 - (<usize>popcnt(ascii & 15) << 1)
      v128.store(out, i8x16.swizzle(high, v128.load(ordersBase + (<usize>(ascii >>> 4) << 4))))
      out += 12 - (<usize>popcnt(ascii >>> 4) << 1)
      at += 16
      continue
    }
    // A unit of two bytes or a pair among them, or the end.
    for (const stop = min(at + 16, end); at < stop; ) {
      const code = <u32>load<u16>(at)
      at += 2
      if (code < 0x80) {
        store<u8>(out, <u8>code)
        out += 1
      } else if (code < 0x800) {
        store<u8>(out, <u8>(0xc0 | (code >>> 6)))
        store<u8>(out, <u8>(0x80 | (code & 0x3f)), 1)
        out += 2
      } else if ((code & 0xf800) != 0xd800) {
        store<u8>(out, <u8>(0xe0 | (code >>> 12)))
        store<u8>(out, <u8>(0x80 | ((code >>> 6) & 0x3f)), 1)
        store<u8>(out, <u8>(0x80 | (code & 0x3f)), 2)
        out += 3
      } else {
        const point = 0x10000 + ((code & 0x3ff) << 10) + (<u32>load<u16>(at) & 0x3ff)
        at += 2
        store<u8>(out, <u8>(0xf0 | (point >>> 18)))
        store<u8>(out, <u8>(0x80 | ((point >>> 12) & 0x3f)), 1)
        store<u8>(out, <u8>(0x80 | ((point >>> 6) & 0x3f)), 2)
        store<u8>(out, <u8>(0x80 | (point & 0x3f)), 3)
        out += 4
      }
    }
  }
  return <i32>(out - bytes)
}

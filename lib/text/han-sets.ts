/**
 * Sets of code units for the census of a text: function words, rare ideographs, kana and hangul, marks of text that was
 * decoded with the wrong character set. One table look-up per code unit.
 */
import { Buffer } from 'node:buffer'
import { basicIdeographs } from './basic-ideographs.js'

export const HanSet = {
  /** Ideographs in common use, and everything that is in no other set. */
  other: 0,
  /**
   * Particles, pronouns, prepositions, conjunctions, auxiliaries: simplified, traditional, Cantonese and classical. Without
   * those that nouns are made of (可, 能, 自, 者).
   */
  functionWord: 1,
  /** Ideographs outside GB 2312 and level 1 of Big5. */
  rare: 2,
  /** Ideographs that UTF-8 read as GBK is full of and text is not, U+FFFD, private use. */
  garbled: 3,
  kana: 4,
  hangul: 5,
} as const

export const hanSetCount = 6

/** A count for each HanSet. */
export type HanSetCounts = Int32Array & { [Set in (typeof HanSet)[keyof typeof HanSet]]: number }

/** Returns counts of 0. */
export function hanSetCounts(): HanSetCounts {
  return new Int32Array(hanSetCount) as HanSetCounts
}

const functionWords =
  '的了是在和有不这那我他她它们你您就也都而及与或着过到从对把被让给向为于以之其所但却又再还很最更已将会要得吗呢吧啊呀么什谁哪怎因如若则虽然' +
  '且并由此每各等未只才便即乃矣乎焉哉兮尔吾汝彼个些這個們為於與對從過還會將讓給沒麼嗎並則雖卻嘅係咗喺唔佢哋啲冇嘢噉咁畀'

/** Read as GBK: the first bytes E2 … E9 of UTF-8 with the second, of the most frequent ideographs and marks. */
const garbledHan =
  '锛紝銆鈥锟浜浠屽鐨殑澶鍙瀹鏈屾鍏鍚屼鍒灏杩鍗岃鍥鍦鏉寰嶅鎴鐜鍐鎵鍔庡瓙鑷鏂鍘鍑鎶閬鐩彂鍓闂闄鍜鏃鐢鳑鎬鎯璁'

/** Returns the table of 65,536 entries: the set of each code unit. Made at the first call and shared: callers must not write to it. */
export function hanSets(): Uint8Array {
  table ??= makeTable()
  return table
}

let table: Uint8Array | null = null

function makeTable(): Uint8Array {
  const bits = Buffer.from(basicIdeographs, 'base64')
  const sets = new Uint8Array(65_536)
  // By ranges: a test of each code unit takes 10 ms when a thread starts.
  sets.fill(HanSet.garbled, 0xe000, 0xf900)
  sets[0xfffd] = HanSet.garbled
  for (const [first, last] of kana) sets.fill(HanSet.kana, first, last + 1)
  sets.fill(HanSet.hangul, 0xac00, 0xd7a4)
  sets.fill(HanSet.rare, 0x3400, 0x4dc0)
  for (let code = firstCommon; code <= 0x9fff; code++) if (!isCommon(bits, code)) sets[code] = HanSet.rare
  for (const character of functionWords) sets[character.charCodeAt(0)] = HanSet.functionWord
  for (const character of garbledHan) sets[character.charCodeAt(0)] = HanSet.garbled
  return sets
}

/** Hiragana, Katakana, their extensions, half-width Katakana; without the marks that Chinese text uses too (・ ー). */
const kana = [
  [0x3041, 0x30fa],
  [0x31f0, 0x31ff],
  [0xff66, 0xff9d],
] as const

function isCommon(bits: Buffer, code: number): boolean {
  const place = code - firstCommon
  return place >= 0 && (((bits[place >>> 3] as number) >>> (place & 7)) & 1) === 1
}

const firstCommon = 0x4e00

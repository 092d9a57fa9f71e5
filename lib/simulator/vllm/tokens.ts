/**
 * The simulator's tokenizer: no vocabulary file, reversible, and about as many tokens as Qwen's for Chinese text.
 * A token is a special mark, a pair of Chinese characters (three pairs in four, by hash), an optional
 * space with up to four Latin letters, or one code point: 0.65 tokens per character of prose. 好 and 差 are always tokens
 * by themselves.
 */

const specials = ['<|im_start|>', '<|im_end|>', '<|endoftext|>', '<think>', '</think>'] as const
const firstSpecial = 0x11_0000
const firstPair = 0x20_0000
const firstChinese = 0x4e00
const chineseCount = 0x9fff - firstChinese + 1
const firstPiece = 0x2000_0000
const pieceBase = 54
const pairsPerHundred = 75
const alone = new Set(['好'.charCodeAt(0), '差'.charCodeAt(0)])

export function encode(text: string): number[] {
  const ids: number[] = []
  let index = 0
  while (index < text.length) {
    const code = text.charCodeAt(index)
    if (isChinese(code)) {
      const next = text.charCodeAt(index + 1)
      const paired = isChinese(next) && isPair(code, next)
      ids.push(paired ? firstPair + (code - firstChinese) * chineseCount + (next - firstChinese) : code)
      index += paired ? 2 : 1
      continue
    }
    const length = pieceLength(text, index)
    if (length > 0) {
      ids.push(pieceId(text, index, length))
      index += length
      continue
    }
    const special = code === 0x3c ? specials.findIndex((mark) => text.startsWith(mark, index)) : -1
    if (special >= 0) {
      ids.push(firstSpecial + special)
      index += (specials[special] as string).length
      continue
    }
    const point = text.codePointAt(index) as number
    ids.push(point)
    index += point > 0xffff ? 2 : 1
  }
  return ids
}

export function decode(ids: ArrayLike<number>): string {
  let text = ''
  for (let index = 0; index < ids.length; index++) text += tokenText(ids[index] as number)
  return text
}

/** Returns the text of a token; the replacement character for an invalid id. */
export function tokenText(id: number): string {
  if (id >= firstPiece) return pieceText(id - firstPiece)
  if (id >= firstPair) {
    const pair = id - firstPair
    const first = firstChinese + Math.floor(pair / chineseCount)
    return String.fromCharCode(first, firstChinese + (pair % chineseCount))
  }
  if (id >= firstSpecial) return specials[id - firstSpecial] ?? '\ufffd'
  return Number.isInteger(id) && id >= 0 ? String.fromCodePoint(id) : '\ufffd'
}

/** Whether a number sent by a client is a token id. */
export function isToken(id: unknown): id is number {
  return typeof id === 'number' && Number.isInteger(id) && id >= 0 && id < firstPiece + pieceBase ** 5
}

function isChinese(code: number): boolean {
  return code >= firstChinese && code <= 0x9fff
}

function isPair(first: number, second: number): boolean {
  if (alone.has(first) || alone.has(second)) return false
  return ((Math.imul(first, 0x9e3779b1) ^ Math.imul(second, 0x85ebca6b)) >>> 7) % 100 < pairsPerHundred
}

/** Returns the length of the piece at `index` (an optional space, then one to four letters); 0 if there is none. */
function pieceLength(text: string, index: number): number {
  const start = text.charCodeAt(index) === 0x20 ? 1 : 0
  let letters = 0
  while (letters < 4 && letterDigit(text.charCodeAt(index + start + letters)) > 0) letters++
  return letters === 0 ? 0 : start + letters
}

function pieceId(text: string, index: number, length: number): number {
  let value = 0
  for (let place = length - 1; place >= 0; place--) {
    const code = text.charCodeAt(index + place)
    value = value * pieceBase + (code === 0x20 ? pieceBase - 1 : letterDigit(code))
  }
  return firstPiece + value
}

function pieceText(value: number): string {
  let text = ''
  for (let rest = value; rest > 0; rest = Math.floor(rest / pieceBase)) {
    const digit = rest % pieceBase
    text += digit === pieceBase - 1 ? ' ' : String.fromCharCode(digit <= 26 ? 0x40 + digit : 0x60 + digit - 26)
  }
  return text
}

/** 1 to 26 for A to Z, 27 to 52 for a to z, 0 for the rest. */
function letterDigit(code: number): number {
  if (code >= 0x41 && code <= 0x5a) return code - 0x40
  if (code >= 0x61 && code <= 0x7a) return code - 0x60 + 26
  return 0
}

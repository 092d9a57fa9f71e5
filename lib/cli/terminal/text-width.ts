/**
 * Width of a text on a terminal, in cells. Most text here is ASCII, Chinese and a few signs, whose widths are known; anything
 * else is measured by string-width, whose tables of emoji take longer to load than a small command takes.
 */
import stringWidth from 'string-width'

/** Returns the cells that a terminal needs for the text, in which escape sequences take none. */
export function textWidth(text: string): number {
  let cells = 0
  for (let at = 0; at < text.length; at++) {
    const width = unitWidth(text.charCodeAt(at))
    if (width === 0) return stringWidth(text)
    cells += width
  }
  return cells
}

/** Returns the graphemes of a text, in order. */
export function graphemesOf(text: string): Iterable<string> {
  return isPlain(text) ? text : segmentsOf(text)
}

function* segmentsOf(text: string): Generator<string> {
  segmenter ??= new Intl.Segmenter(undefined, { granularity: 'grapheme' })
  for (const { segment } of segmenter.segment(text)) yield segment
}

let segmenter: Intl.Segmenter | undefined

/** Whether each code unit is a grapheme of known width. */
function isPlain(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (unitWidth(text.charCodeAt(at)) === 0) return false
  return true
}

/** Returns 0 for a code unit that combines with others, is invisible, or is rare. */
function unitWidth(code: number): 0 | 1 | 2 {
  if (code < 0x7f) return code < 0x20 ? 0 : 1
  if (code >= 0x4e00 && code <= 0x9fff) return 2
  // CJK punctuation, full-width forms of ASCII.
  if ((code >= 0x3001 && code <= 0x3029) || (code >= 0xff01 && code <= 0xff5e)) return 2
  // Dashes, quotes, dots; arrows; box drawing and blocks.
  if (code === 0xb7 || (code >= 0x2010 && code <= 0x2027) || (code >= 0x2500 && code <= 0x259f)) return 1
  return code >= 0x2190 && code <= 0x2193 ? 1 : 0
}

/** How wide a text is on a terminal, where a Chinese character takes two cells, and texts cut and broken by that. */

/** Cells that the text takes; control characters count as none. */
export function widthOf(text: string): number {
  let cells = 0
  for (const { segment } of graphemes.segment(text)) cells += graphemeWidth(segment)
  return cells
}

/** Cut to `cellsMax` cells, with … for what is left out. */
export function fitted(text: string, cellsMax: number): string {
  if (widthOf(text) <= cellsMax) return text
  let [cells, kept] = [0, '']
  for (const { segment } of graphemes.segment(text)) {
    cells += graphemeWidth(segment)
    if (cells > cellsMax - 1) break
    kept += segment
  }
  return `${kept}…`
}

/**
 * Broken into lines of `cellsMax` cells at most: words of Latin letters at spaces, Chinese between any two characters
 * but before a closing mark.
 */
export function wrapped(text: string, cellsMax: number): string[] {
  const lines: string[] = []
  for (const paragraph of text.split('\n')) {
    let [line, cells] = ['', 0]
    for (const { segment } of graphemes.segment(paragraph)) {
      const wide = graphemeWidth(segment)
      if (cells + wide > cellsMax) {
        const carried = carriedOver(line, segment)
        lines.push(line.slice(0, line.length - carried.length).trimEnd())
        line = carried
        cells = widthOf(carried)
        if (segment === ' ') continue
      }
      line += segment
      cells += wide
    }
    lines.push(line)
  }
  return lines
}

/** What goes to the next line together with the character that has no room: half a word, or what a mark closes. */
function carriedOver(line: string, next: string): string {
  if (/^[，。、；：？！）」』】》”’…]/u.test(next)) return line.match(/[^，。、；：？！）」』】》”’…]$/u)?.[0] ?? ''
  const word = /^[!-~]/.test(next) ? (line.match(/ ([!-~]+)$/)?.[1] ?? '') : ''
  return word.length < line.length / 2 ? word : ''
}

/** Texts come from the web: what would steer the terminal (escapes, direction marks) is shown as �, tabs as spaces. */
export function printable(text: string): string {
  return text.replaceAll('\r\n', '\n').replaceAll('\t', '  ').replace(steering, '\ufffd')
}

const steering = /(?!\n)\p{Cc}|[\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

function graphemeWidth(grapheme: string): number {
  const code = grapheme.codePointAt(0) as number
  if (code < 0x300) return code < 0x20 || (code >= 0x7f && code < 0xa0) ? 0 : 1
  if (/^[\p{Mn}\p{Me}\p{Cf}]/u.test(grapheme)) return 0
  return wide.some(([first, last]) => code >= first && code <= last) || /^\p{Emoji_Presentation}/u.test(grapheme)
    ? 2
    : 1
}

/** East Asian Wide and Fullwidth, by block. Source: Unicode Standard Annex #11. */
const wide: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe10, 0xfe19],
  [0xfe30, 0xfe6f],
  [0xff01, 0xff60],
  [0xffe0, 0xffe6],
  [0x16fe0, 0x1b2ff],
  [0x20000, 0x3fffd],
]

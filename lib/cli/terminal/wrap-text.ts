/** Truncates and wraps text by its width on a terminal, where a Chinese character takes two cells. */
import { graphemesOf, textWidth } from './text-width.js'

/** Truncates to `cellsMax` cells; … marks the cut. */
export function truncateText(text: string, cellsMax: number): string {
  if (textWidth(text) <= cellsMax) return text
  let [cells, kept] = [0, '']
  for (const segment of graphemesOf(text)) {
    cells += textWidth(segment)
    if (cells > cellsMax - 1) break
    kept += segment
  }
  return `${kept}…`
}

/**
 * Wraps to lines of at most `cellsMax` cells: Latin words at spaces, Chinese between any two characters except before a
 * closing mark.
 */
export function wrapText(text: string, cellsMax: number): string[] {
  const lines: string[] = []
  for (const paragraph of text.split('\n')) {
    let [line, cells] = ['', 0]
    for (const segment of graphemesOf(paragraph)) {
      const wide = textWidth(segment)
      if (cells + wide > cellsMax) {
        const carried = carriedOver(line, segment)
        lines.push(line.slice(0, line.length - carried.length).trimEnd())
        line = carried
        cells = textWidth(carried)
        if (segment === ' ') continue
      }
      line += segment
      cells += wide
    }
    lines.push(line)
  }
  return lines
}

/** End of the line that moves to the next line with `next`: the start of a word, or the word or character before a closing mark. */
function carriedOver(line: string, next: string): string {
  const word = line.match(/[^!-~]([!-~]+)$/)?.[1] ?? ''
  const closes = /^[，。、；：？！）」』】》”’…]/u.test(next)
  if ((closes || /^[!-~]/.test(next)) && word !== '' && word.length < line.length / 2) return word
  return closes ? (line.match(/[^，。、；：？！）」』】》”’…]$/u)?.[0] ?? '') : ''
}

/** Replaces control and direction characters of a text from the web by �, and tabs by spaces. */
export function printable(text: string): string {
  return text.replaceAll('\r\n', '\n').replaceAll('\t', '  ').replace(controls, '\ufffd')
}

const controls = /(?!\n)\p{Cc}|[\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu

/**
 * Finds the lines of a text whose indentation means something: code, in a fence or by its shape, and verses or lists set
 * in steps. That of paragraphs does not and is removed.
 *
 * A line is judged without its indentation, and steps by all of a run: a text whose other indentation has been removed gives
 * the same lines.
 */
import { CodeLine, codeLinesOf, lineEndOf, linesOf, type TextLines } from './code-lines.js'

/** A scanned text, without indentation, and the code units from which it was scanned. */
interface ScannedLines extends TextLines {
  /** Start of each line in `source`. */
  readonly lineFrom: Int32Array
  readonly source: Uint16Array
}

/** Longest line of a run in steps, in code units. */
const stepCharsMax = 40
/** Lines of a run in steps, and neighbours in it with different indentation. */
const runMin = 4
const changesMin = 3
/** Share of the lines of a run in steps that may end as a sentence does. */
const sentenceShareMax = 0.3

/** Returns 1 for each line whose indentation is kept; null if there is none. @param hasCode whether lines may be code */
export function indentedLines(scanned: ScannedLines, hasCode: boolean): Uint8Array | null {
  const text = { ...linesOf(scanned), lineFrom: scanned.lineFrom, source: scanned.source }
  const kept = new Uint8Array(text.lines)
  const widths = Int32Array.from({ length: text.lines }, (_, line) => indentOf(text, line))
  if (hasCode)
    codeLinesOf(text).forEach((kind, line) => {
      if (kind !== CodeLine.none) kept[line] = 1
    })
  markSteps(text, widths, kept)
  return kept.some((flag, line) => flag === 1 && widths[line] !== 0) ? kept : null
}

/** Blanks before the first visible code unit of a line. */
function indentOf({ source, lineFrom }: ScannedLines, line: number): number {
  const from = lineFrom[line] as number
  let at = from
  while (at > 0 && isBlank(source[at - 1] as number)) at--
  return from - at
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x3000 || code === 0xa0
}

/** Marks runs of short lines, most of them no sentences, whose indentation changes again and again. */
function markSteps(text: ScannedLines, widths: Int32Array, kept: Uint8Array): void {
  const { codes, lineStart, lines } = text
  for (let first = 0; first < lines; ) {
    let [last, sentences, changes] = [first, 0, 0]
    for (; last < lines; last++) {
      const end = lineEndOf(text, last)
      if (end - (lineStart[last] as number) > stepCharsMax) break
      if (sentenceEnds.has(codes[end - 1] as number)) sentences++
      if (last > first && widths[last] !== widths[last - 1]) changes++
    }
    const count = last - first
    if (count >= runMin && changes >= changesMin && sentences <= sentenceShareMax * count) kept.fill(1, first, last)
    first = Math.max(last, first + 1)
  }
}

const sentenceEnds = new Set([...'。！？；”」』…'].map((mark) => mark.charCodeAt(0)))

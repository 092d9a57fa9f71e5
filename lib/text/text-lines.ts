/** Walks the lines of a text that are not blank. */
import type { CleanText } from './clean.js'

/** Calls `visit` with the start and the end of each line, without line ends. */
export function eachLine(text: CleanText, visit: (start: number, end: number, line: number) => void): void {
  const { lines, lineStart, codes, length } = text
  for (let line = 0; line < lines; line++) {
    const start = lineStart[line] as number
    let end = line + 1 === lines ? length : (lineStart[line + 1] as number)
    while (end > start && codes[end - 1] === 0x0a) end--
    visit(start, end, line)
  }
}

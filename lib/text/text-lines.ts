/** Walks the lines of a text that are not blank. */
import type { CleanText } from './clean.js'

/** Calls `visit` with the start and the end of each line, without line ends. */
export function eachLine(text: CleanText, visit: (start: number, end: number, line: number) => void): void {
  const { lines, lineStart } = text
  for (let line = 0; line < lines; line++) visit(lineStart[line] as number, textEndOf(text, line), line)
}

/** Returns the end of a line without line ends. */
export function textEndOf({ lines, lineStart, codes, length }: CleanText, line: number): number {
  const start = lineStart[line] as number
  let end = line + 1 === lines ? length : (lineStart[line + 1] as number)
  while (end > start && codes[end - 1] === 0x0a) end--
  return end
}

/** Lines that may be furniture (lib/text/scanner-kernel/assembly/suspects.ts) in plain TypeScript: what the kernel must find. */
import { cuePhrases, edgeLabels, labels, lineWords, listHeadings, menuWords } from '../../lib/text/boilerplate.js'
import { firstVisible, lineEndOf, type TextLines } from '../../lib/text/code-lines.js'
import { PhraseIndex } from '../../lib/text/phrase-index.js'

const phrases = PhraseIndex.of(cuePhrases)
const openings = PhraseIndex.of([...new Set([...menuWords, ...lineWords, ...listHeadings, ...labels, ...edgeLabels])])
const [lineCharsMax, tailChars, marksMax, barsMin] = [120, 48, 4, 2]

export function referenceSuspects(text: TextLines, mayHaveBars: boolean): { lines: number[]; any: boolean } {
  const { codes, length } = text
  const lines: number[] = []
  let any = false
  const contains = (start: number, end: number) => {
    for (let at = start; at < end && at + 1 < length; at++)
      if (phrases.longestAt(codes, at, length) !== null) return true
    return mayHaveBars && codes.subarray(start, end).filter((code) => isBar(code)).length >= barsMin
  }
  const isCue = (start: number, end: number) =>
    end - start > lineCharsMax ? contains(end - tailChars, end) : opens(codes, start, end) || contains(start, end)
  for (let line = 0; line < text.lines; line++) {
    const start = text.lineStart[line] as number
    const end = lineEndOf(text, line)
    if (isCue(start, end)) lines.push(line)
    any ||= isCue(firstVisible(codes, start), end)
  }
  return { lines, any }
}

function isBar(code: number): boolean {
  return code === 0x7c || code === 0xff5c || code === 0x2502
}

function opens(codes: Uint16Array, start: number, end: number): boolean {
  let at = start
  while (at < end && at - start < marksMax && isMark(codes[at] as number)) at++
  if (at + 1 >= end) return false
  const found = openings.longestAt(codes, at, end)
  return (
    found !== null && (at + found.length >= end || !/[A-Za-z\\^`\u3400-\u9fff]/.test(char(codes, at + found.length)))
  )
}

function char(codes: Uint16Array, at: number): string {
  return String.fromCharCode(codes[at] as number)
}

function isMark(code: number): boolean {
  const isAscii = code < 0x7b && !/[0-9A-Za-z]/.test(String.fromCharCode(code))
  return isAscii || (code >= 0x2000 && code <= 0x303f) || (code >= 0xff00 && code <= 0xff0f)
}

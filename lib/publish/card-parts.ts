/**
 * Splits a dataset card: the YAML at its top, the generated part between two marks, and the user's text around it.
 * A mark counts only on a line by itself and outside of fences, so that quoted text cannot end the generated part.
 */

export const beginMark =
  '<!-- kun-stream:begin - what stands between these marks is written anew with every publish -->'
export const endMark = '<!-- kun-stream:end -->'
const beginStart = '<!-- kun-stream:begin'

/** Returns the front matter without its dashes, and the text after it. */
export function splitFrontMatter(card: string): [frontMatter: string, text: string] {
  const match = /^\ufeff?\s*---[ \t]*\n([\s\S]*?\n)?---[ \t]*(?:\n|$)/.exec(card)
  return match === null ? ['', card] : [match[1] ?? '', card.slice(match[0].length)]
}

/** Returns the text with `body` as the generated part: replaces the existing part, or is appended. */
export function withOwnPart(text: string, body: string): string {
  const ours = `${beginMark}\n\n${body}\n\n${endMark}`
  const own = ownPart(text)
  if (own === null) return [text.trim(), ours].filter((part) => part !== '').join('\n\n')
  return text.slice(0, own.start) + ours + text.slice(own.end)
}

function ownPart(text: string): { start: number; end: number } | null {
  const found = markedPart(text, 0)
  if (found !== null) return found
  // An unclosed fence above the generated part hides the marks. The part always begins with this mark and a heading.
  const start = text.search(/^<!-- kun-stream:begin [^\n]*-->\n\n# /m)
  return start < 0 ? null : markedPart(text, start)
}

/** The part from the last begin mark before the first end mark. */
function markedPart(text: string, from: number): { start: number; end: number } | null {
  let start: number | null = null
  for (const { line, at } of linesOutsideFences(text, from)) {
    if (line.startsWith(beginStart)) start = at
    else if (line.trimEnd() === endMark && start !== null) return { start, end: at + endMark.length }
  }
  return null
}

/** Source: CommonMark, 4.5, Fenced code blocks. */
function* linesOutsideFences(text: string, from: number): Generator<{ line: string; at: number }> {
  let fence: { sign: string; length: number } | null = null
  for (let at = from; at < text.length; ) {
    const lineEnd = text.indexOf('\n', at)
    const end = lineEnd < 0 ? text.length : lineEnd
    const line = text.slice(at, end)
    const run = /^ {0,3}(`{3,}(?=[^`]*$)|~{3,})(.*)$/.exec(line)
    if (fence !== null) {
      const closes = run?.[1]?.startsWith(fence.sign) && run[1].length >= fence.length && /^\s*$/.test(run[2] ?? '')
      if (closes) fence = null
    } else if (run?.[1] !== undefined) {
      fence = { sign: run[1].charAt(0), length: run[1].length }
    } else {
      yield { line, at }
    }
    at = end + 1
  }
}

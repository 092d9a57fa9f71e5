/**
 * Escapes foreign text for Markdown: texts of a corpus or a model, names of files, reasons of filters.
 * They may contain Markdown, HTML, fences, our own marks, control characters and direction marks.
 */
import { visibleText } from '../core/visible-text.js'

/** One line of text: every sign that could mean something to Markdown or HTML is escaped, white space is one space. */
export function inline(text: string): string {
  return visible(text)
    .replaceAll(/\s+/g, ' ')
    .trim()
    .replaceAll(/[!-/:-@[-`{-~]/g, escapedSign)
}

/** A hyphen or a slash inside of a name means nothing. */
function escapedSign(sign: string, at: number, text: string): string {
  const inside =
    /[-/]/.test(sign) && /[\p{L}\p{N}]/u.test(text[at - 1] ?? '') && /[\p{L}\p{N}]/u.test(text[at + 1] ?? '')
  return inside ? sign : (entities[sign] ?? `\\${sign}`)
}

/** HTML by entities: what reads a card as HTML first sees no tag either. */
const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' }

/** A name in a code span where it is a plain one, else as text. */
export function code(name: string): string {
  return /^[\p{L}\p{N}_.-]+$/u.test(name) ? `\`${name}\`` : inline(name)
}

/** A block of text as it is, in a fence that it cannot close. */
export function fenced(text: string, language: string): string {
  const shown = visible(text).replaceAll(/<!--(?=\s*kun-stream:)/g, '<!- -')
  const longest = Math.max(2, ...[...shown.matchAll(/`+/g)].map(([run]) => run.length))
  const fence = '`'.repeat(longest + 1)
  return `${fence}${language}\n${shown}\n${fence}`
}

/** Line ends of one kind; what does not show, or turns the direction of a line, as its escape: \u202e. */
export function visible(text: string): string {
  return visibleText(text.replaceAll(/\r\n?/g, '\n'))
}

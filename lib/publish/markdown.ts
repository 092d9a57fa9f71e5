/**
 * Escapes untrusted text for Markdown: texts of a corpus or a model, names of files, reasons of filters.
 * They may contain Markdown, HTML, fences, the marks of a card, control characters and direction marks.
 */
import { visibleText } from '../core/visible-text.js'

/** Returns the text on one line: characters with a meaning in Markdown or HTML are escaped, white space is collapsed. */
export function inline(text: string): string {
  return visible(text)
    .replaceAll(/\s+/g, ' ')
    .trim()
    .replaceAll(/[!-/:-@[-`{-~]/g, escapedSign)
}

/** A hyphen or a slash inside a name needs no escape. */
function escapedSign(sign: string, at: number, text: string): string {
  const inside =
    /[-/]/.test(sign) && /[\p{L}\p{N}]/u.test(text[at - 1] ?? '') && /[\p{L}\p{N}]/u.test(text[at + 1] ?? '')
  return inside ? sign : (entities[sign] ?? `\\${sign}`)
}

/** Escapes as entities, so that a reader that parses the card as HTML finds no tag. */
const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' }

/** Returns a plain name as a code span, any other as text. */
export function code(name: string): string {
  return /^[\p{L}\p{N}_.-]+$/u.test(name) ? `\`${name}\`` : inline(name)
}

/** Returns the text unchanged, in a fence that is longer than any run of backticks in it. */
export function codeBlock(text: string, language: string): string {
  const shown = visible(text).replaceAll(/<!--(?=\s*kun-stream:)/g, '<!- -')
  const longest = Math.max(2, ...[...shown.matchAll(/`+/g)].map(([run]) => run.length))
  const fence = '`'.repeat(longest + 1)
  return `${fence}${language}\n${shown}\n${fence}`
}

/** Normalises line ends; replaces invisible characters and direction marks by escapes such as \u202e. */
export function visible(text: string): string {
  return visibleText(text.replaceAll(/\r\n?/g, '\n'))
}

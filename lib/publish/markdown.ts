/**
 * Foreign text as Markdown that shows it and does nothing: texts of a corpus or a model, names of files, reasons of
 * filters. They may hold Markdown, HTML, fences, marks of our own, control characters and marks of direction.
 */

/** One line of text: every sign that could mean something to Markdown or HTML is escaped, white space is one space. */
export function inline(text: string): string {
  return visible(text)
    .replaceAll(/\s+/g, ' ')
    .trim()
    .replaceAll(/[!-/:-@[-`{-~]/g, (sign) => entities[sign] ?? `\\${sign}`)
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
  return text
    .replaceAll(/\r\n?/g, '\n')
    .replaceAll(hidden, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

const hidden =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

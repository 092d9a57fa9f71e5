/**
 * Sanitizes all text written to a terminal, a pipe or a command: removes secrets, and escapes control sequences that come
 * from a server, a file, a name or the Hub. The styles of picocolors are kept.
 */

import { processSecrets } from '../../core/redaction.js'
import { visibleText } from '../../core/visible-text.js'
import { pc } from './colors.js'

/** Escape sequences of picocolors for the styles in use. */
const ownStyles = new RegExp(`${'\u001b'}\\[(?:0|1|2|22|3[1-6]|39|90)m`)
const stylesOrText = new RegExp(`(${ownStyles.source})`)

/** Sanitizes text that may contain styles: lines for people, JSON for programs. */
export function terminalText(text: string): string {
  const clean = processSecrets.text(text).replaceAll('\r\n', '\n')
  if (!pc.isColorSupported) return visibleText(clean)
  return clean
    .split(stylesOrText)
    .map((part, at) => (at % 2 === 1 ? part : visibleText(part)))
    .join('')
}

/** Sanitizes text without styles: messages of errors. */
export function plainText(text: string): string {
  return visibleText(processSecrets.text(text).replaceAll('\r\n', '\n'))
}

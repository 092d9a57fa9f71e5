/**
 * The one gate for text on its way to a terminal, a pipe or a command: without secrets, and with nothing from a server,
 * a file, a name or the Hub that would steer the terminal. Colours of our own pass where there are any.
 */
import pc from 'picocolors'
import { processSecrets } from '../core/redaction.js'
import { visibleText } from '../core/visible-text.js'

/** What picocolors writes for the styles that are used here. */
const ownStyles = /\u001b\[(?:0|1|2|22|3[1-6]|39|90)m/
const stylesOrText = new RegExp(`(${ownStyles.source})`)

/** Text with our own colours in it: lines for people, JSON for programs. */
export function terminalText(text: string): string {
  const clean = processSecrets.text(text).replaceAll('\r\n', '\n')
  if (!pc.isColorSupported) return visibleText(clean)
  return clean
    .split(stylesOrText)
    .map((part, at) => (at % 2 === 1 ? part : visibleText(part)))
    .join('')
}

/** Text that has no colours of ours: messages of errors. */
export function plainText(text: string): string {
  return visibleText(processSecrets.text(text).replaceAll('\r\n', '\n'))
}

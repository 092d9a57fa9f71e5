/** The start of a text, for a reject. */
import { excerptCharsMax } from './block.js'

/** Returns the first characters, without half of a surrogate pair. */
export function excerptOf(text: string): string {
  const excerpt = text.slice(0, excerptCharsMax)
  return (text.length > excerptCharsMax && isHighSurrogate(excerpt) ? excerpt.slice(0, -1) : excerpt).toWellFormed()
}

function isHighSurrogate(text: string): boolean {
  const last = text.charCodeAt(text.length - 1)
  return last >= 0xd800 && last <= 0xdbff
}

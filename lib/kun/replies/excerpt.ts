/** Excerpts of replies for the detail of a reject. */

/** Characters before and after the words that were found. */
const contextChars = 20

/** Returns the words with the text around them, on one line. */
export function around(text: string, words: string): string {
  const at = text.indexOf(words)
  const excerpt = text.slice(Math.max(0, at - contextChars), at + words.length + contextChars)
  return `${words}: ${wellFormed(excerpt).replace(/\s+/g, ' ')}`
}

/** Returns the start of a text, at most `charsMax` code units. */
export function shortened(text: string, charsMax: number = 2 * contextChars): string {
  return wellFormed(text.slice(0, charsMax))
}

/** Removes half of a surrogate pair that a slice left. */
export function wellFormed(text: string): string {
  return text.replace(/\p{Cs}/gu, '')
}

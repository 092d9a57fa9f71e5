/** Finds the end of a URL in running text. */

/** Length of `http`, before the colon. */
export const schemeChars = 4

/**
 * Returns the end of the URL whose colon (of `://`) or first `w` (of `www.`) is at `at`; `at` if there is none. A URL ends
 * before the next blank or non-ASCII character.
 */
export function linkEnd(codes: Uint16Array, at: number): number {
  const isLink =
    codes[at] === 0x3a
      ? codes[at + 1] === 0x2f && codes[at + 2] === 0x2f
      : codes[at + 1] === codes[at] && codes[at + 2] === codes[at] && codes[at + 3] === 0x2e
  if (!isLink) return at
  let end = at
  while ((codes[end] as number) > 0x20 && (codes[end] as number) < 0x7f) end++
  return end
}

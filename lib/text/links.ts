/** Where a URL in running text ends. */

/** `http` before the colon. */
export const schemeChars = 4

/**
 * The end of the URL whose colon (of `://`) or first `w` (of `www.`) stands at `at`; `at` itself where there is none.
 * It reaches to the next blank or character beyond ASCII.
 */
export function linkEnd(codes: Uint16Array, at: number): number {
  const begins =
    codes[at] === 0x3a
      ? codes[at + 1] === 0x2f && codes[at + 2] === 0x2f
      : codes[at + 1] === codes[at] && codes[at + 2] === codes[at] && codes[at + 3] === 0x2e
  if (!begins) return at
  let end = at
  while ((codes[end] as number) > 0x20 && (codes[end] as number) < 0x7f) end++
  return end
}

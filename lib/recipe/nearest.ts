/** The known name that a user probably meant. */
import { distance } from 'fastest-levenshtein'

/** The closest name within two edits and a third of the letters; null if there is none. */
export function nearest(given: string, names: readonly string[]): string | null {
  const ranked = names
    .map((name) => ({ name, edits: distance(given.toLowerCase(), name.toLowerCase()) }))
    .sort((a, b) => a.edits - b.edits)
  const [best] = ranked
  return best !== undefined && best.edits <= Math.min(2, Math.ceil(given.length / 3)) ? best.name : null
}

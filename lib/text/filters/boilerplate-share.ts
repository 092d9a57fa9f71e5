/** Filters on parts of a web page that are not text: URLs and boilerplate lines. */
import type { CleanText } from '../clean.js'
import { over, visibleWithAsides } from './composition.js'

/** Limits the share of code units in URLs. */
export function urlDensity(text: CleanText, shareMax: number): string | null {
  return over(text.urlChars, visibleWithAsides(text), shareMax, 'in URLs')
}

/**
 * Limits the share of page furniture: lines that were cut (../furniture.ts) and short lines that contain a phrase of
 * ../boilerplate.ts, of the text before the cut.
 */
export function boilerplate(text: CleanText, shareMax: number): string | null {
  const furniture = text.furnitureChars + text.boilerplateChars
  return over(furniture, visibleWithAsides(text) + text.furnitureChars, shareMax, 'in boilerplate lines')
}

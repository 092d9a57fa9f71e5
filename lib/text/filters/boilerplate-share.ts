/** Filters on parts of a web page that are not text: URLs and boilerplate lines. */
import type { CleanText } from '../clean.js'
import { over, visibleWithAsides } from './composition.js'

/** Limits the share of code units in URLs. */
export function urlDensity(text: CleanText, shareMax: number): string | null {
  return over(text.urlChars, visibleWithAsides(text), shareMax, 'in URLs')
}

/**
 * Limits the share of page furniture in the text before the cut: short lines that contain a phrase of ../boilerplate.ts
 * and were kept, and lines that were cut (../furniture.ts). The latter weigh less, because they do no harm any more; but
 * a page of which half is furniture is a list of links with some words between.
 */
export function boilerplate(text: CleanText, shareMax: number): string | null {
  const furniture = cutWeight * text.furnitureChars + text.boilerplateChars
  return over(furniture, visibleWithAsides(text) + text.furnitureChars, shareMax, 'in boilerplate lines')
}

/** With the default limit of .3, a page may be cut by half. */
const cutWeight = 0.6

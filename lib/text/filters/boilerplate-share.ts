/** Filters on parts of a web page that are not text: URLs and boilerplate lines. */
import type { CleanText } from '../clean.js'
import { over } from './composition.js'

/** Limits the share of code units in URLs. */
export function urlDensity(text: CleanText, shareMax: number): string | null {
  return over(text.urlChars, text, shareMax, 'in URLs')
}

/** Limits the share of code units in short lines that contain a phrase of boilerplate.ts. */
export function boilerplate(text: CleanText, shareMax: number): string | null {
  return over(text.boilerplateChars, text, shareMax, 'in boilerplate lines')
}

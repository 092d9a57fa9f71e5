/** Filters on what belongs to the page and not to its text. */
import type { CleanText } from '../clean.js'
import { over } from './composition.js'

/** Code units inside URLs. */
export function urlDensity(text: CleanText, shareMax: number): string | null {
  return over(text.urlChars, text, shareMax, 'in URLs')
}

/** Code units in short lines that hold a phrase of boilerplate.ts. */
export function boilerplate(text: CleanText, shareMax: number): string | null {
  return over(text.boilerplateChars, text, shareMax, 'in boilerplate lines')
}

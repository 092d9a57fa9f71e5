/** Filters on repetition, which ../repetition.ts measures. */
import type { Repetition } from '../repetition.js'
import { percent } from './composition.js'

export function repeatedLines(repetition: Repetition, shareMax: number): string | null {
  return above(repetition.lineShare, shareMax, 'in repeated lines')
}

export function repeatedNgrams(repetition: Repetition, shareMax: number): string | null {
  return above(repetition.gramShare, shareMax, 'repeated n-grams')
}

function above(share: number, shareMax: number, what: string): string | null {
  return share > shareMax ? `${percent(share)} ${what} of at most ${percent(shareMax)}` : null
}

/** Finds the less preferred reply of a preference: the text that was polished, or the answer of a variant with a lower grade. */
import { comparisonForm } from '../text/signature.js'
import type { RunRow } from './run-rows.js'

/** Sources of a rejected reply. */
export const rejectedKinds = ['raw', 'variant'] as const
export type RejectedKind = (typeof rejectedKinds)[number]

/**
 * Returns the rejected reply for a row; null if there is none.
 *
 * `raw` is the text before polishing, unless polishing changed no letter and no digit. `variant` is the output of the
 * variant of the same chunk with the lowest grade, if it is lower than that of the row.
 *
 * @param variants all rows of the chunk
 * @param kinds the first one that exists is used
 */
export function rejectedOf(row: RunRow, variants: readonly RunRow[], kinds: readonly RejectedKind[]): string | null {
  for (const kind of kinds) {
    const text = kind === 'raw' ? row.raw : lowestVariant(row, variants)
    if (text !== null && text.trim() !== '' && comparisonForm(text) !== comparisonForm(row.output)) return text
  }
  return null
}

function lowestVariant({ score }: RunRow, variants: readonly RunRow[]): string | null {
  let lowest: { readonly score: number; readonly output: string } | null = null
  for (const other of variants) {
    if (score === null || other.score === null || other.score >= score) continue
    if (lowest === null || other.score < lowest.score) lowest = { score: other.score, output: other.output }
  }
  return lowest?.output ?? null
}

/** Finds the less preferred reply of a preference: the text that was polished, or the answer of a variant with a lower grade. */
import { createSigner } from '../text/signature.js'
import type { RunRow } from './run-rows.js'

/** Sources of a rejected reply. */
export const rejectedKinds = ['raw', 'variant'] as const
export type RejectedKind = (typeof rejectedKinds)[number]

/** Returns the rejected reply for a row, given all rows of its chunk; null if there is none. */
type FindRejected = (row: RunRow, variants: readonly RunRow[]) => string | null

/**
 * Returns a function that finds rejected replies: of the given kinds, the first one that exists.
 *
 * `raw` is the text before polishing, unless polishing changed no letter and no digit. `variant` is the output of the
 * variant of the same chunk with the lowest grade, if it is lower than that of the row.
 */
export async function openRejected(kinds: readonly RejectedKind[]): Promise<FindRejected> {
  const signer = await createSigner({ signatureLength: 0 })
  const [one, other, none] = [Buffer.alloc(16), Buffer.alloc(16), new Uint8Array(0)]
  const sameLetters = (text: string, output: string): boolean => {
    signer.sign(text, one, none)
    signer.sign(output, other, none)
    return one.equals(other)
  }
  return (row, variants) => {
    for (const kind of kinds) {
      const text = kind === 'raw' ? row.raw : lowestVariant(row, variants)
      if (text !== null && text.trim() !== '' && !sameLetters(text, row.output)) return text
    }
    return null
  }
}

function lowestVariant({ score }: RunRow, variants: readonly RunRow[]): string | null {
  let lowest: { readonly score: number; readonly output: string } | null = null
  for (const other of variants) {
    if (score === null || other.score === null || other.score >= score) continue
    if (lowest === null || other.score < lowest.score) lowest = { score: other.score, output: other.output }
  }
  return lowest?.output ?? null
}

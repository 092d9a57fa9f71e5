/**
 * Counts the code units of a text by the sets of han-sets.ts, and by how common an ideograph is. A sample of the text
 * comes first: it costs the same for any length, and shows whether the exact count is worth its time.
 */
import { CharacterClass } from './characters.js'
import type { CleanText } from './clean.js'
import { HanSet, hanSetCount, hanSets } from './han-sets.js'

export interface Census {
  /** Code units counted, and of these in each HanSet. */
  readonly counted: number
  readonly sets: Int32Array
}

export interface CensusMeter {
  /** At most `sampleMax` code units at equal distances. */
  sample(text: CleanText): Census
  exact(text: CleanText): Census
}

const sampleMax = 512

export function createCensusMeter(): CensusMeter {
  const table = hanSets()
  const sets = new Int32Array(hanSetCount)
  const count = ({ codes, length }: CleanText, step: number): Census => {
    sets.fill(0)
    let counted = 0
    for (let at = 0; at < length; at += step) {
      counted++
      ;(sets[table[codes[at] as number] as number] as number)++
    }
    return { counted, sets }
  }
  return {
    sample: (text) => count(text, Math.ceil(text.length / sampleMax)),
    exact: (text) => count(text, 1),
  }
}

/** Ideographs of a text, function words and rare ones included. */
export function hanOf({ length, counts }: CleanText): number {
  let others = 0
  for (let kind = CharacterClass.han + 1; kind < counts.length; kind++) others += counts[kind] as number
  return length - others
}

export { HanSet }

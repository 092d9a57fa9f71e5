/**
 * Counts the code units of a text by the sets of han-sets.ts, and by how common an ideograph is. A sample of the text
 * comes first: it costs the same for any length, and shows whether the exact count is worth its time.
 */
import { CharacterClass } from './characters.js'
import type { CleanText } from './clean.js'
import { HanSet, hanSetCount, hanSets } from './han-sets.js'

interface Census {
  /** Code units counted, and of these in each HanSet. */
  readonly counted: number
  readonly sets: Int32Array
}

interface Sample extends Census {
  /** Code units counted that are equal to the two after them. */
  readonly runs: number
}

export interface CensusMeter {
  /** At most `sampleMax` code units at equal distances. */
  readonly sample: (text: CleanText) => Sample
  readonly exact: (text: CleanText) => Census
}

/** Enough for a share of 2 % to show. */
const sampleMax = 256

export function createCensusMeter(): CensusMeter {
  const table = hanSets()
  const sampled = new Int32Array(hanSetCount)
  const sets = new Int32Array(hanSetCount)
  return {
    sample: ({ codes, length }) => {
      const step = Math.ceil(length / sampleMax)
      sampled.fill(0)
      let [counted, runs] = [0, 0]
      for (let at = 0; at < length; at += step) {
        const code = codes[at] as number
        counted++
        ;(sampled[table[code] as number] as number)++
        if (code === codes[at + 1] && code === codes[at + 2]) runs++
      }
      return { counted, sets: sampled, runs }
    },
    exact: ({ codes, length }) => {
      sets.fill(0)
      for (let at = 0; at < length; at++) (sets[table[codes[at] as number] as number] as number)++
      return { counted: length, sets }
    },
  }
}

/** Ideographs of a text, function words and rare ones included. */
export function hanOf({ length, counts }: CleanText): number {
  let others = 0
  for (let kind = CharacterClass.han + 1; kind < counts.length; kind++) others += counts[kind] as number
  return length - others
}

export { HanSet }

/**
 * Counts the code units of a text by the sets of han-sets.ts, and by how common an ideograph is. A sample of the text
 * comes first: it costs the same for any length, and shows whether the exact count is worth its time.
 */
import { CharacterClass } from './characters.js'
import type { CleanText } from './clean.js'
import { HanSet, type HanSetCounts, hanSetCount, hanSetCounts, hanSets } from './han-sets.js'
import type { TextMemory } from './text-memory.js'

interface Census {
  /** Code units counted, and of these in each HanSet. */
  readonly counted: number
  readonly sets: HanSetCounts
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

/** @param memory of the cleaner whose texts are counted */
export function createCensusMeter(memory: TextMemory): CensusMeter {
  const table = hanSets()
  const tableBase = memory.allocate(table.length)
  const sampledBase = memory.allocate(hanSetCount * Int32Array.BYTES_PER_ELEMENT)
  new Uint8Array(memory.buffer, tableBase, table.length).set(table)
  let view = new Int32Array(memory.buffer, sampledBase, hanSetCount)
  const sampled = hanSetCounts()
  const sets = hanSetCounts()
  return {
    sample: ({ length }) => {
      const step = Math.max(1, Math.ceil(length / sampleMax))
      const runs = memory.kernel.sampleSets(memory.codes.base, length, step, tableBase, sampledBase)
      // Growing the memory detaches the view.
      if (view.length === 0) view = new Int32Array(memory.buffer, sampledBase, hanSetCount)
      sampled.set(view)
      return { counted: Math.ceil(length / step), sets: sampled, runs }
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

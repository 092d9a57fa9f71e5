/** What a finished record takes in memory while it waits for an earlier one, and how it goes through the spill file. */
import type { SpillCodec } from '../core/spill.js'
import { Refused } from './candidates.js'
import type { Candidate, Pair } from './types.js'

/** Objects, keys and numbers of a record beside its texts, bytes: measured as heap growth a record, rounded up. */
const recordBytes = 600

/** About: two bytes a character. */
export function itemBytes(value: unknown): number {
  if (value instanceof Refused) return recordBytes + 2 * value.reject.excerpt.length
  const pair = value as Partial<Pair>
  const candidate = pair.candidate ?? (value as Partial<Candidate>)
  const texts = (pair.instruction?.length ?? 0) + (pair.output?.length ?? 0) + (candidate.text?.length ?? 0)
  return recordBytes + 2 * texts
}

export const itemCodec: SpillCodec = {
  encode: (item) => {
    const { value } = item as { value: unknown }
    return Buffer.from(JSON.stringify({ ...(item as object), refused: value instanceof Refused }))
  },
  decode: (bytes) => {
    const { refused, value, settlement } = JSON.parse(Buffer.from(bytes).toString()) as {
      refused: boolean
      value: Refused | Pair
      settlement: unknown
    }
    const revived = refused && 'reject' in value ? new Refused(value.split, value.shard, value.reject) : value
    return { value: revived, settlement }
  },
}

/** What a finished record takes in memory while it waits for an earlier one, and how it goes through the spill file. */

import type { Candidate, Pair } from '../kun/types.js'
import type { SpillCodec } from '../storage/spill-file.js'
import { ChunkCandidate, Refused } from './candidates.js'

/** Objects, keys and numbers of a record beside its texts, bytes: measured as heap growth a record, rounded up. */
const recordBytes = 600

/** About: two bytes a character; of a chunk's own text its UTF-8, so that it need not be decoded. */
export function itemBytes(value: unknown): number {
  if (value instanceof Refused) return recordBytes + 2 * value.reject.excerpt.length
  const pair = value as Partial<Pair>
  const written = (pair.instruction?.length ?? 0) + (pair.output?.length ?? 0)
  return recordBytes + 2 * written + textBytes(pair.candidate ?? (value as Partial<Candidate>))
}

function textBytes(candidate: Partial<Candidate>): number {
  return candidate instanceof ChunkCandidate ? candidate.textBytes : 2 * (candidate.text?.length ?? 0)
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

/** Size in memory of a finished record that waits for an earlier one, and its encoding in the spill file. */
import type { Settlement } from '../core/item.js'
import type { Candidate, Pair, StageCells } from '../kun/types.js'
import type { SpillCodec } from '../storage/spill-file.js'
import type { PrepareReject } from '../text/block.js'
import { ChunkCandidate, isPair, Rejected, type SettledRecord } from './records.js'

/** Heap of a record besides its texts: objects, keys, numbers. Bytes; measured as heap growth per record, rounded up. */
const recordBytes = 600

/**
 * Returns about what a record takes in memory: two bytes per character; for the text of a chunk, its length in UTF-8.
 */
export function itemBytes(value: unknown): number {
  const record = value as SettledRecord
  if ('number' in record) return recordBytes
  if (record instanceof Rejected) return recordBytes + 2 * record.reject.excerpt.length
  if (!isPair(record)) return recordBytes + cellBytes(record.columns) + textBytes(record)
  const { instruction, output, candidate, columns } = record
  return recordBytes + 2 * (instruction.length + (output?.length ?? 0)) + cellBytes(columns) + textBytes(candidate)
}

/** Heap of a cell besides the characters of a text, bytes. */
const cellHeapBytes = 16

function cellBytes(cells: StageCells): number {
  let bytes = 0
  for (const cell of Object.values(cells)) bytes += cellHeapBytes + (typeof cell === 'string' ? 2 * cell.length : 0)
  return bytes
}

function textBytes(candidate: Candidate): number {
  return candidate instanceof ChunkCandidate ? candidate.textBytes : 2 * candidate.text.length
}

/** An item as JSON: `refused` distinguishes a Rejected, whose class is restored, from a candidate or pair. */
type SpilledItem = { readonly settlement: Settlement | null } & (
  | { readonly refused: true; readonly value: { split: string; shard: string; reject: PrepareReject } }
  | { readonly refused: false; readonly value: Candidate | Pair }
)

export const itemCodec: SpillCodec = {
  encode: (item) => {
    const { value } = item as { value: unknown }
    return Buffer.from(JSON.stringify({ ...(item as object), refused: value instanceof Rejected }))
  },
  // Written by `encode` in this process: the file does not outlive it.
  decode: (bytes) => {
    const { refused, value, settlement } = JSON.parse(Buffer.from(bytes).toString()) as SpilledItem
    return { value: refused ? new Rejected(value.split, value.shard, value.reject) : value, settlement }
  },
}

/** Rows of a block as the index and the log keep them. */
import { frameBytesMax } from '../storage/frames.js'
import { type ChunkColumns, textBytesAt, textLengthAt } from '../text/columns.js'
import { murmur128 } from '../text/kernel/reference-kernel.js'
import { type KeptColumns, type KeptRow, keyBytes } from './kept-frames.js'
import { type DecidePlan, keepsTexts } from './plan.js'

/** Columns that verdicts and logs are made from. */
export type DecideColumns = Pick<
  ChunkColumns,
  'rows' | 'signatureLength' | 'offset' | 'chunk' | 'text' | 'letters' | 'fingerprint' | 'signature'
>

/** A block to decide on. */
export interface BlockToDecide {
  readonly number: number
  readonly split: string
  readonly shard: string
  readonly columns: DecideColumns
  /** Public id of each row; null for the ids of their positions. */
  readonly ids: readonly string[] | null
}

/** Seed of the key of a text without letters, which is a hash of the text itself. */
const bareTextSeed = 0x6b756e

/** A text without letters has an empty comparison form: it is a duplicate only of an identical text. */
function bareKey(columns: DecideColumns, i: number): Uint8Array {
  return murmur128(textBytesAt(columns.text, i), bareTextSeed)
}

/** Returns the keys of all rows, end to end: the column of fingerprints, or a copy where that is not enough. */
export function keysOf(columns: DecideColumns): Uint8Array {
  const { rows, letters, fingerprint } = columns
  let keys = fingerprint.subarray(0, rows * keyBytes)
  for (let i = 0; i < rows; i++) {
    if (letters[i] !== 0) continue
    if (keys.buffer === fingerprint.buffer) keys = new Uint8Array(keys)
    keys.set(bareKey(columns, i), i * keyBytes)
  }
  return keys
}

/** Returns views of the columns; the index and the log copy what they keep. */
export function rowOf(plan: DecidePlan, columns: DecideColumns, i: number, id: string, textOffset: number): KeptRow {
  const { near } = plan
  const signatureLength = near === false ? 0 : near.minima
  return {
    key:
      columns.letters[i] === 0 ? bareKey(columns, i) : columns.fingerprint.subarray(i * keyBytes, (i + 1) * keyBytes),
    hasShingle: hasShingleAt(plan, columns, i),
    signature: columns.signature.subarray(i * signatureLength, (i + 1) * signatureLength),
    id,
    textOffset,
  }
}

export function hasShingleAt({ near }: DecidePlan, { letters }: DecideColumns, i: number): boolean {
  return near !== false && (letters[i] as number) >= near.ngram
}

/** Returns what the log gets of a block. */
export function keptColumns(
  plan: DecidePlan,
  columns: DecideColumns,
  kept: Pick<KeptColumns, 'block' | 'textsBytes' | 'ids' | 'rows' | 'textOffsets'>,
): KeptColumns {
  return {
    ...kept,
    keys: keysOf(columns),
    signature: columns.signature,
    signatureBytes: plan.near === false ? 0 : plan.near.minima,
    hasShingle: (row) => hasShingleAt(plan, columns, row),
  }
}

/** Whether the text of a kept row is stored. One that is too long for a frame is not: its estimate decides. */
export function isStored(plan: DecidePlan, columns: DecideColumns, i: number): boolean {
  return keepsTexts(plan) && hasShingleAt(plan, columns, i) && textLengthAt(columns.text, i) <= frameBytesMax
}

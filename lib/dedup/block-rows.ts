/** Rows of a block as the index and the log keep them. */
import { frameBytesMax } from '../storage/frames.js'
import { type ChunkColumns, textBytesAt, textLengthAt } from '../text/columns.js'
import { recordId } from '../text/identity.js'
import { murmur128 } from '../text/kernel/reference-kernel.js'
import { type KeptRow, keyBytes } from './kept-frames.js'
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

export function idOf({ ids, split, shard, columns }: BlockToDecide, i: number): string {
  return ids === null
    ? recordId(split, shard, columns.offset[i] as number, columns.chunk[i] as number)
    : (ids[i] as string)
}

/** Returns views of the columns; the index and the log copy what they keep. */
export function rowOf(
  { near }: DecidePlan,
  columns: DecideColumns,
  i: number,
  id: string,
  textOffset: number,
): KeptRow {
  const letters = columns.letters[i] as number
  // A text without letters has an empty comparison form: it is a duplicate only of an identical text.
  const key =
    letters === 0
      ? murmur128(textBytesAt(columns.text, i), bareTextSeed)
      : columns.fingerprint.subarray(i * keyBytes, (i + 1) * keyBytes)
  const signatureLength = near === false ? 0 : near.minima
  return {
    key,
    hasShingle: near !== false && letters >= near.ngram,
    signature: columns.signature.subarray(i * signatureLength, (i + 1) * signatureLength),
    id,
    textOffset,
  }
}

/** Whether the text of a kept row is stored. One that is too long for a frame is not: its estimate decides. */
export function isStored(plan: DecidePlan, row: KeptRow, columns: DecideColumns, i: number): boolean {
  return keepsTexts(plan) && row.hasShingle && textLengthAt(columns.text, i) <= frameBytesMax
}

/** Text of records that are finished and not committed, for `tail`, `inspect` and `status`. */

import { say } from '../../language/say.js'
import type { LatestRecord } from '../../run/latest-records.js'
import { pc } from './colors.js'
import { rejectText, rowText } from './inspect-text.js'

/** @param columns width in cells */
export function latestText(record: LatestRecord, columns: number, full: boolean): string {
  const { split, reject, id, shard, offset, chunk, variant, score, instruction, output, raw } = record
  if (reject !== null) return rejectText({ ...record, ...reject, excerpt: instruction || raw }, columns)
  const row = { instruction, output, raw, id, shard, offset, chunk, variant, score }
  return rowText(row, say`${split} · not committed yet`, columns, full)
}

/** A record as a JSON object, beside the rows of the dataset. */
export function latestJson(record: LatestRecord): string {
  return JSON.stringify({ committed: false, ...record })
}

/** What follows uncommitted pairs: they are not in the dataset. */
export function uncommittedLine(shown: number, pairs: number): string {
  return pc.dim(say`${shown} of ${pairs} finished pairs that are not committed yet: the next cut commits them`)
}

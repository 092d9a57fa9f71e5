/**
 * Public ids. Given by where a record stands in the data alone, so that they are the same on every machine and run.
 */
import { createHash } from 'node:crypto'

/** 32 hexadecimal digits naming a chunk (without `variant`) or a pair made from it. */
export function recordId(split: string, shard: string, offset: number, chunk: number, variant?: number): string {
  const parts = variant === undefined ? [split, shard, offset, chunk] : [split, shard, offset, chunk, variant]
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32)
}

/**
 * Public ids. They depend only on the position of a record in the data, so that they are the same on every machine and in
 * every run.
 */
import { hash } from 'node:crypto'

/** 32 hexadecimal digits naming a chunk (without `variant`) or a pair made from it. */
export function recordId(split: string, shard: string, offset: number, chunk: number, variant?: number): string {
  const parts = variant === undefined ? [split, shard, offset, chunk] : [split, shard, offset, chunk, variant]
  // In one call: a hash object and its digest cost three times as much.
  return hash('sha256', JSON.stringify(parts), 'hex').slice(0, 32)
}

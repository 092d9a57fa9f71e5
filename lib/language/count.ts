/** Counts with their noun: '1 row', '12,000 rows', '12,000 行'. */
import { grouped } from './grouped.js'
import { numbered } from './say.js'

/** Nouns that messages count; the value is the plural. */
export const nouns = {
  array: 'arrays',
  attempt: 'attempts',
  block: 'blocks',
  byte: 'bytes',
  candidate: 'candidates',
  chunk: 'chunks',
  column: 'columns',
  cut: 'cuts',
  document: 'documents',
  element: 'elements',
  error: 'errors',
  file: 'files',
  GPU: 'GPUs',
  line: 'lines',
  pair: 'pairs',
  record: 'records',
  reject: 'rejects',
  reply: 'replies',
  request: 'requests',
  row: 'rows',
  second: 'seconds',
  server: 'servers',
  shard: 'shards',
  thread: 'threads',
  time: 'times',
  token: 'tokens',
  unit: 'units',
  try: 'tries',
} as const

export type Noun = keyof typeof nouns

/** Examples: '1 row', '12,000 rows'. */
export function count(value: number, noun: Noun): string {
  return countText(value, noun, nouns[noun])
}

/** As `count`, for any noun; an irregular plural is given as `many`. Digits are grouped by commas in both languages. */
export function countText(value: number, one: string, many = `${one}s`): string {
  return numbered(grouped(value), value === 1 ? one : many)
}

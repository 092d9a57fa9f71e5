/** Counts with their noun: '1 row', '12,000 rows', '12,000 行'. */
import { translated } from './say.js'

/** Nouns that messages count; the value is the plural. */
export const nouns = {
  attempt: 'attempts',
  block: 'blocks',
  byte: 'bytes',
  candidate: 'candidates',
  chunk: 'chunks',
  column: 'columns',
  cut: 'cuts',
  document: 'documents',
  error: 'errors',
  file: 'files',
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
  try: 'tries',
} as const

export type Noun = keyof typeof nouns

/** Digits are grouped by commas in both languages. */
export function count(value: number, noun: Noun): string {
  const name = translated(value === 1 ? noun : nouns[noun])
  return `${value.toLocaleString('en-US')} ${name}`
}

/** Columns of the parts in rejects/: the same in every run. */
import type { Column } from '../parquet/columns.js'
import type { Reject } from './types.js'

export const rejectColumns: readonly Column[] = [
  { name: 'id', type: 'string' },
  { name: 'split', type: 'string' },
  { name: 'shard', type: 'string' },
  { name: 'offset', type: 'int64' },
  { name: 'chunk', type: 'int32' },
  { name: 'variant', type: 'int32' },
  { name: 'key', type: 'string' },
  { name: 'stage', type: 'string' },
  { name: 'reason', type: 'string' },
  { name: 'detail', type: 'string' },
  { name: 'excerpt', type: 'string' },
  { name: 'raw', type: 'string', nullable: true },
  { name: 'instruction', type: 'string', nullable: true },
  { name: 'score', type: 'float64', nullable: true },
  { name: 'screen', type: 'float64', nullable: true },
] satisfies readonly (Column & { name: keyof Reject })[]

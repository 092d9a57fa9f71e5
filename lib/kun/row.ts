/**
 * Columns of the parts in data/, and the row of a pair.
 */

import { ownValue } from '../core/dictionary.js'
import type { Cell, Column, Row } from '../parquet/columns.js'
import type { Pair } from './types.js'

export interface RowOptions {
  /** 'pairs': columns instruction and output, as in COIG-Kun · 'messages': one column, a list of {role, content}. */
  readonly shape: 'pairs' | 'messages'
  /** Columns that the stages declare, in order of stage. */
  readonly columns: readonly Column[]
  /** The recipe's names of the models, in order of stage. */
  readonly models: readonly string[]
  /** `name@version` of the stages' templates, in order of stage. */
  readonly promptVersions: readonly string[]
}

/** Returns the columns of data/, in order. */
export function columnsOf({ shape, columns }: RowOptions): readonly Column[] {
  return [...(shape === 'pairs' ? pairColumns : messageColumns), ...originColumns, ...columns, ...makerColumns]
}

/** Returns the row of a pair, in the order of `columnsOf`. Without a polish stage the output is the raw text. */
export function rowOf(pair: Pair, options: RowOptions): Row {
  const cells = cellsOf(pair, options)
  return Object.fromEntries(columnsOf(options).map(({ name }) => [name, ownValue(cells, name) ?? null]))
}

function cellsOf(pair: Pair, { models, promptVersions }: RowOptions): Record<string, Cell> {
  const { candidate, instruction } = pair
  const output = pair.output ?? candidate.text
  return {
    ...pair.columns,
    instruction,
    output,
    messages: [
      { role: 'user', content: instruction },
      { role: 'assistant', content: output },
    ],
    id: pair.id,
    source: candidate.source ?? candidate.split,
    shard: candidate.shard,
    offset: candidate.offset,
    chunk: candidate.chunk,
    variant: pair.variant,
    key: candidate.key,
    title: candidate.title,
    raw: candidate.text,
    model: [...new Set(models)].join('+'),
    prompt_version: promptVersions.join('+'),
  }
}

const pairColumns: readonly Column[] = [
  { name: 'instruction', type: 'string' },
  { name: 'output', type: 'string' },
]

const messageColumns: readonly Column[] = [{ name: 'messages', type: 'messages' }]

const originColumns: readonly Column[] = [
  { name: 'id', type: 'string' },
  { name: 'source', type: 'string' },
  { name: 'shard', type: 'string' },
  { name: 'offset', type: 'int64' },
  { name: 'chunk', type: 'int32' },
  { name: 'variant', type: 'int32' },
  { name: 'key', type: 'string' },
  { name: 'title', type: 'string' },
  { name: 'raw', type: 'string' },
]

const makerColumns: readonly Column[] = [
  { name: 'model', type: 'string' },
  { name: 'prompt_version', type: 'string' },
]

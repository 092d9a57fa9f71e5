/**
 * What a finished pair looks like on disk, and what is said of one that was dropped.
 * Types of columns belong to lib/sinks; how they are encoded, too.
 */
import type { Dropped, Failed } from '../core/types.js'
import { KunStreamError } from '../errors.js'
import type { Cell, Column, Reject, Row } from '../sinks/types.js'
import { excerptCharsMax } from '../text/batch.js'
import type { Candidate, Pair } from './types.js'

export interface RowOptions {
  /** 'pairs': instruction and output, as COIG-Kun has them · 'messages': one list of {role, content}. */
  readonly shape: 'pairs' | 'messages'
  /** Whether the recipe has a score stage: without it there are no score columns. */
  readonly scored: boolean
  /** The recipe's names of the models, in order of stage; those that repeat are named once. */
  readonly models: readonly string[]
  /** `name@version` of the stages' templates, in order of stage. */
  readonly promptVersions: readonly string[]
  /** Columns that stages of one's own fill in `Pair.extra`. */
  readonly extraColumns?: readonly Column[]
}

export interface RowShape {
  readonly columns: readonly Column[]
  /** Same columns, same order. Without a polish stage the output is the raw text. */
  readonly row: (pair: Pair) => Row
}

/** The columns of data/ and the row of a pair. */
export function rowShape(options: RowOptions): RowShape {
  const { shape, scored, extraColumns = [] } = options
  const model = [...new Set(options.models)].join('+')
  const promptVersion = options.promptVersions.join('+')
  const columns = [
    ...(shape === 'pairs' ? pairColumns : messageColumns),
    ...originColumns,
    ...(scored ? scoreColumns : []),
    ...extraColumns,
    ...makerColumns,
  ]
  const row = (pair: Pair): Row => {
    const { candidate, instruction } = pair
    const output = pair.output ?? candidate.text
    const cells: Record<string, Cell> = {
      ...pair.extra,
      instruction,
      output,
      messages: [
        { role: 'user', content: instruction },
        { role: 'assistant', content: output },
      ],
      id: pair.id,
      source: candidate.split,
      shard: candidate.shard,
      offset: candidate.offset,
      chunk: candidate.chunk,
      variant: pair.variant,
      key: candidate.key,
      title: candidate.title,
      raw: candidate.text,
      score: pair.score,
      score_kind: pair.scoreKind,
      score_mass: pair.scoreMass,
      model,
      prompt_version: promptVersion,
    }
    return Object.fromEntries(columns.map(({ name }) => [name, cells[name] ?? null]))
  }
  return { columns, row }
}

/** The reject of a candidate that an LLM stage, or dedup before it, dropped or failed. */
export function candidateReject(candidate: Candidate, stage: string, outcome: Dropped | Failed): Reject {
  const { id, split, shard, offset, chunk, key, text } = candidate
  return { id, split, shard, offset, chunk, variant: -1, key, stage, ...reasonOf(outcome), excerpt: excerpt(text) }
}

/** The reject of a pair: the excerpt starts with its instruction, where it has one, then the text. */
export function pairReject(pair: Pair, stage: string, outcome: Dropped | Failed): Reject {
  const { candidate, instruction, variant, id } = pair
  const shown = instruction === '' ? candidate.text : `${instruction} ⟶ ${candidate.text}`
  return { ...candidateReject(candidate, stage, outcome), id, variant, excerpt: excerpt(shown) }
}

/**
 * The `features` of the Hub's `huggingface` key: what `datasets` makes of the columns.
 *
 * Shape: { name: { dtype, _type: 'Value' } }; a list of messages is a list of one struct.
 */
export function hubFeatures(columns: readonly Column[]): Record<string, unknown> {
  const value = (dtype: string) => ({ dtype, _type: 'Value' })
  const feature = ({ type }: Column) => {
    if (type === 'messages') return [{ role: value('string'), content: value('string') }]
    return value(type === 'boolean' ? 'bool' : type)
  }
  return Object.fromEntries(columns.map((column) => [column.name, feature(column)]))
}

/** 'failed' rejects carry the error's stable code as their reason, never only its words. */
export function reasonOf(outcome: Dropped | Failed): { reason: string; detail: string } {
  if ('drop' in outcome) return { reason: outcome.drop, detail: outcome.detail ?? '' }
  const { fail } = outcome
  return { reason: fail instanceof KunStreamError ? fail.code : fail.name, detail: fail.message }
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

const scoreColumns: readonly Column[] = [
  { name: 'score', type: 'float64', nullable: true },
  { name: 'score_kind', type: 'string', nullable: true },
  { name: 'score_mass', type: 'float64', nullable: true },
]

const makerColumns: readonly Column[] = [
  { name: 'model', type: 'string' },
  { name: 'prompt_version', type: 'string' },
]

function excerpt(text: string): string {
  return text.slice(0, excerptCharsMax).replace(/\p{Cs}/gu, '')
}

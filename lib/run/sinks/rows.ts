/** Rows of the sinks: the columns of a chunk or of a pair, and a record's cells in them. */

import { ownValue } from '../../core/dictionary.js'
import { version } from '../../core/version.js'
import { columnsOf, type RowOptions, rowOf } from '../../kun/row.js'
import type { Candidate, Pair } from '../../kun/types.js'
import type { Column, Row } from '../../parquet/columns.js'
import type { ModelStage } from '../stages/model-stages.js'

/** How records of a type become rows. */
export interface Rows<T> {
  readonly kind: 'chunks' | 'pairs'
  readonly columns: readonly Column[]
  readonly rowOf: (record: T) => Row
  /** The row as an object of JSON Lines. */
  readonly jsonOf: (record: T) => object
  /** Whether the columns are those of a prepared block: Arrow batches are then taken from its memory. */
  readonly ofBlock?: boolean
}

/** One row per chunk. */
export function chunkRows(
  /** The stages of the graph that add columns to chunks, such as `screen`. */
  stages: readonly Pick<ModelStage<never, unknown>, 'columns'>[] = [],
): Rows<Candidate> {
  const added = stages.flatMap(({ columns }) => columns)
  const cellsOf = ({ columns }: Candidate): Row =>
    Object.fromEntries(added.map(({ name }) => [name, ownValue(columns, name) ?? null]))
  return {
    kind: 'chunks',
    columns: [...chunkColumns, ...added],
    ofBlock: added.length === 0,
    rowOf: (candidate) => {
      const { id, key, title, heading, text, tokens, shard, offset, chunk } = candidate
      return { id, key, title, heading, text, tokens, shard, offset, chunk, ...cellsOf(candidate) }
    },
    jsonOf: (candidate) => {
      const { id, key, title, heading, text, tokens, shard, offset, chunk } = candidate
      return {
        id,
        ...(key !== '' && { key }),
        ...(title !== '' && { title }),
        ...(heading !== '' && { heading }),
        ...{ text, tokens, shard, offset, chunk },
        ...cellsOf(candidate),
      }
    },
  }
}

/** One row per pair, with the columns of a run's data files. */
export function pairRows(
  /** The stages of the graph that call models: they determine `model`, `prompt_version` and their own columns. */
  stages: readonly Pick<ModelStage<never, unknown>, 'model' | 'promptVersion' | 'columns'>[],
  /** 'pairs' has the columns `instruction` and `output`; 'messages' one list of {role, content}. */
  shape: RowOptions['shape'] = 'pairs',
): Rows<Pair> {
  const options: RowOptions = {
    shape,
    columns: stages.flatMap(({ columns }) => columns),
    models: stages.map(({ model }) => model),
    promptVersions: stages.map(({ promptVersion }) => promptVersion),
  }
  const row = (pair: Pair): Row => rowOf(pair, options)
  return { kind: 'pairs', columns: columnsOf(options), rowOf: row, jsonOf: row }
}

const chunkColumns: readonly Column[] = [
  { name: 'id', type: 'string' },
  { name: 'key', type: 'string' },
  { name: 'title', type: 'string' },
  { name: 'heading', type: 'string' },
  { name: 'text', type: 'string' },
  { name: 'tokens', type: 'int32' },
  { name: 'shard', type: 'string' },
  { name: 'offset', type: 'int64' },
  { name: 'chunk', type: 'int32' },
]

/** Meaning of a column, for the metadata of its Arrow field. */
export function meaningOf(column: string): string {
  return meanings[column as keyof typeof meanings] ?? 'Column of a custom stage.'
}

const meanings = {
  instruction: 'Instruction that a model wrote for the chunk.',
  output: 'Reply to the instruction: the polished text, or the chunk itself without a polish stage.',
  messages: 'The pair as a conversation: the instruction of the user, the reply of the assistant.',
  id: 'Public id: a hash of source, shard, offset, chunk and variant.',
  source: 'Name of the source in the recipe; the split by default.',
  shard: 'Path of the file that holds the record, relative to its source, after the name of the source if it has one.',
  offset: 'Position of the document in its shard: first byte of the decompressed record, or row number.',
  chunk: 'Ordinal of the chunk in its document.',
  variant: 'Ordinal of the instruction among those that were asked for the chunk.',
  key: 'Id of the record in its source; empty if it has none.',
  title: 'Title of the document, cleaned; empty if it has none.',
  heading: 'Heading above the chunk in its document; empty if it begins with one or has none.',
  raw: 'Text of the chunk.',
  text: 'Text of the chunk.',
  tokens: 'Tokens of the text, estimated unless a tokenizer is configured.',
  perplexity: 'Perplexity of the text by a model; null for a text of one token.',
  screen: 'Grade of the text, 0 to 1.',
  kind: 'Kind and difficulty of the instruction that the prompt asked for; null for an extracted exam.',
  route: "Where the instruction comes from: 'label' from the label model, 'exam' from the text.",
  score: 'Grade of the instruction, 0 to 1.',
  score_kind: "How the grade was read: 'logprob' from probabilities, 'rule' from the words.",
  score_mass: 'Probability that the judge gave to both labels together; null without log-probabilities.',
  support: 'Share of the content of the output that the text has, 0 to 1; null if it has none.',
  support_facts: 'Share of the numbers and Latin names of the output that the text has, 0 to 1; null if it has none.',
  copied: 'Share of the output in long runs that the text has, 0 to 1.',
  length_ratio: 'Letters of the output for each letter of the text.',
  pair_answers: 'Grade of the question whether the output answers the instruction, 0 to 1.',
  pair_follows: 'Grade of the question whether the output follows from the text, 0 to 1.',
  ifd: 'Instruction-following difficulty: loss of the output after the instruction over its loss alone; null for an output of one token.',
  answer_perplexity: 'Perplexity of the output alone by a model; null for an output of one token.',
  model: 'Models of the stages, joined by +.',
  prompt_version: 'Templates of the stages as name@version, joined by +.',
} as const

/** Metadata of an Arrow schema. */
export function schemaMetadata(kind: Rows<never>['kind']): Map<string, string> {
  return new Map([
    ['kun_stream.version', version],
    ['kun_stream.kind', kind],
  ])
}

/** Options of the columns that a recipe adds: one question to a model about each record, one typed cell in the row. */
import { z } from 'zod'
import type { Column } from '../parquet/columns.js'
import { modelName, sampling } from './call-options.js'
import { customTemplateOptions } from './custom-template.js'
import { phases } from './stage-ranks.js'

const words = () => z.array(z.string().min(1)).min(1).max(100)

const keepIfOptions = z.strictObject({
  min: z.number().optional().describe('A smaller number drops the record'),
  max: z.number().optional().describe('A larger number drops the record'),
  in: words().optional().describe('Any other value drops the record'),
  notIn: words().optional().describe('One of these values drops the record'),
})
export type KeepIfOptions = z.output<typeof keepIfOptions>

export const columnOptions = z.strictObject({
  name: z
    .string()
    .regex(/^[\p{L}_][\p{L}\p{N}_]{0,62}$/u)
    .meta({
      description: 'Name of the column, and of the stage in counters and rejects; not that of another column',
      allowed: 'letters, digits and _, not beginning with a digit',
    }),
  after: z
    .enum(phases)
    .describe(
      'Stage that it follows; after dedup, perplexity and screen it is asked once for a chunk, else for each pair',
    ),
  model: modelName,
  prompt: customTemplateOptions.describe(
    'The question, with {text}, {title}, {heading}, {instruction}, {output} and earlier columns by name',
  ),
  type: z
    .enum(['enum', 'number', 'json', 'text'])
    .describe('enum: one of values; number; json: any JSON value, as text; text: the reply'),
  values: words().optional().describe('For enum: the values'),
  min: z.number().optional().describe('For number: a smaller one is not a valid reply'),
  max: z.number().optional().describe('For number: a larger one is not a valid reply'),
  required: z.boolean().default(true).describe('Drops a record without a valid reply; false writes null'),
  keepIf: keepIfOptions.optional().describe('Bounds on the value; a record outside of them is dropped'),
  sampling,
})
export type ColumnOptions = z.output<typeof columnOptions>

/** Returns the column in data/. */
export function columnOf({ name, type }: Pick<ColumnOptions, 'name' | 'type'>): Column {
  return { name, type: type === 'number' ? 'float64' : 'string', nullable: true }
}

/** Names that a column cannot have: those of rows, rejects, stages and placeholders. Compared without case. */
const reservedNames: ReadonlySet<string> = new Set([
  ...['instruction', 'output', 'messages', 'id', 'source', 'split', 'shard', 'offset', 'chunk', 'variant', 'key'],
  ...['title', 'heading', 'raw', 'text', 'tokens', 'document', 'model', 'prompt_version', 'kind', 'route', 'columns'],
  ...['screen', 'score', 'score_kind', 'score_mass', 'support', 'support_facts', 'copied', 'length_ratio'],
  ...[
    'pair_answers',
    'pair_follows',
    'perplexity',
    'ifd',
    'answer_perplexity',
    'stage',
    'reason',
    'detail',
    'excerpt',
    '__proto__',
  ],
  ...['read', 'documents', 'decode', 'clean', 'filter', 'chunks', 'prepare', 'dedup', 'label', 'polish', 'pair'],
  ...['write', 'phase', 'order', 'rows'],
])

/** Returns whether kun-stream uses the name itself. */
export function isReservedName(name: string): boolean {
  return reservedNames.has(name.toLowerCase())
}

/** A column of the recipe: asks a model one question about each chunk or pair, and puts the answer in a typed cell. */
import type { Dropped } from '../core/types.js'
import type { ContentFault, Model } from '../llm/types.js'
import type { Reply } from '../storage/replies/types.js'
import { type ColumnOptions, columnOf, type KeepIfOptions } from './column-options.js'
import { readCell } from './column-value.js'
import { samplingOf } from './options.js'
import { promptVersion, templateOf } from './prompts.js'
import { retryWithReason } from './replies/correction.js'
import { textFault } from './replies/reply-fault.js'
import { type Candidate, droppedWith, type KunStage, type Pair, type StageCell, withCells } from './types.js'

/**
 * Returns the stage of a column. Drops a record whose replies have no valid value as 'column-format' (or by the verdict of
 * the call), unless it is not required: then the cell is null. Drops a value outside of `keepIf` as 'column-low',
 * 'column-high' or 'column-value'; null is never outside.
 *
 * @param stageOrder by `columnRank`
 */
export function columnStage<Value extends Candidate | Pair>(
  model: Model,
  options: ColumnOptions,
  stageOrder: number,
): KunStage<Value, Value> {
  const { name, prompt } = options
  const template = { ...templateOf({ ...prompt, text: prompt.text + formLine(options) }), name }
  const sampling = samplingOf(columnSampling(options), template.sampling, options.sampling)
  return {
    name,
    stageOrder,
    promptVersion: promptVersion(template),
    columns: [columnOf(options)],
    run: async (value, { position, signal }) => {
      const request = { ...template.render(fieldsOf(value)), sampling }
      const answer = await model.ask({
        ...{ record: value.id, position, stage: name, stageOrder, request, signal },
        fault: (reply) => textFault(reply) ?? formatFault(reply, options),
        retry: retryWithReason(request),
      })
      if ('verdict' in answer && options.required) {
        return { drop: answer.verdict.reason, detail: answer.verdict.detail }
      }
      const cell = 'reply' in answer ? readCell(answer.reply.text, options) : null
      const filled = withCells(value, { [name]: cell })
      const dropped = cell === null ? null : droppedBy(cell, options)
      return dropped === null ? { emit: [filled] } : droppedWith(filled, dropped)
    },
  }
}

function fieldsOf(value: Candidate | Pair) {
  const pair: Pair | null = 'candidate' in value ? value : null
  const { text, title, heading } = 'candidate' in value ? value.candidate : value
  const { instruction = '' } = pair ?? {}
  return { text, title, heading, instruction, output: pair?.output ?? text, columns: value.columns }
}

function formatFault(reply: Reply, options: ColumnOptions): ContentFault | null {
  if (readCell(reply.text, options) !== null) return null
  return { reason: 'column-format', found: `${options.name} is not ${expected(options)}`, text: reply.text }
}

function expected({ type, values = [], min, max }: ColumnOptions): string {
  if (type === 'enum') return `one of ${values.join(', ')}`
  if (type === 'json') return 'JSON'
  const bounds = `${min === undefined ? '' : ` from ${min}`}${max === undefined ? '' : ` to ${max}`}`
  return type === 'number' ? `a number${bounds}` : 'a text'
}

/** A short answer needs few tokens; the most likely one is the grade. */
function columnSampling({ type }: ColumnOptions): Record<string, unknown> {
  return {
    temperature: 0,
    top_p: 1,
    repetition_penalty: 1,
    max_tokens: type === 'enum' || type === 'number' ? 64 : 512,
  }
}

/** The last line of the prompt: the form of the answer. A completion keeps its own format. */
function formLine({ type, values = [], min, max, prompt }: ColumnOptions): string {
  if (prompt.kind === 'completion' || type === 'text') return ''
  if (type === 'enum') return `\n\n只回答以下之一，不要解释：${values.join('、')}`
  if (type === 'json') return '\n\n只回答一个 JSON 值，不要解释。'
  const bounds = [min === undefined ? '' : `不小于 ${min}`, max === undefined ? '' : `不大于 ${max}`].filter(Boolean)
  return `\n\n只回答一个数字${bounds.length === 0 ? '' : `（${bounds.join('，')}）`}，不要解释。`
}

function droppedBy(cell: NonNullable<StageCell>, { name, keepIf = {} }: ColumnOptions): Dropped | null {
  const { min, max, in: kept, notIn }: KeepIfOptions = keepIf
  if (typeof cell === 'number') {
    if (min !== undefined && cell < min) return { drop: 'column-low', detail: `${name} ${cell} < ${min}` }
    return max !== undefined && cell > max ? { drop: 'column-high', detail: `${name} ${cell} > ${max}` } : null
  }
  const word = String(cell)
  const isOut = (kept !== undefined && !kept.includes(word)) || notIn?.includes(word) === true
  return isOut ? { drop: 'column-value', detail: `${name} is ${word}` } : null
}

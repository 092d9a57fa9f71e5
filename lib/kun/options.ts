/** Schemas of the options under `kun:` in a recipe. The defaults are those of the published method. */
import { z } from 'zod'
import { modelName, sampling } from './call-options.js'
import { columnOptions } from './column-options.js'
import { instructionKinds } from './kinds.js'
import { type CustomTemplateOptions, customTemplateOptions, type TemplateName } from './prompts.js'
import { replyPersonal } from './replies/personal.js'
import { outputFilterOptions } from './replies/read-answer.js'
import { instructionFilterOptions } from './replies/read-instruction.js'
import { supportOptions } from './support.js'

/** Published sampling fields of all three calls. Source: COIG-Kun's scripts. */
export const paperSampling = { temperature: 0.5, top_p: 0.95, repetition_penalty: 1.2, max_tokens: 1024 } as const
/**
 * Sampling fields of the stages. vLLM's repetition_penalty counts the prompt's tokens too: at 1.2 an answer is pushed away from the
 * words, names and figures of its own text. 1.05 is the default of Qwen2.5's generation_config.json.
 */
export const kunSampling = { ...paperSampling, repetition_penalty: 1.05 } as const

/** A built-in template for the stage, or a custom one with the placeholders that the stage needs. */
function prompt<const Names extends readonly TemplateName[]>(
  names: Names,
  needed: readonly (keyof typeof placeholders)[],
) {
  const missing = (template: CustomTemplateOptions) => needed.filter((field) => !template.text.includes(`{${field}}`))
  const custom = customTemplateOptions.superRefine((template, context) => {
    const absent = missing(template)
    if (absent.length === 0) return
    const message = `the prompt has no ${absent.map((field) => placeholders[field]).join(' and no ')}`
    context.addIssue({ code: 'custom', path: ['text'], input: template.text, message })
  })
  return z.union([z.enum(names), custom])
}

const placeholders = { text: '{text}', instruction: '{instruction}', output: '{output}' } as const

/** Columns that a recipe may add. */
const columnsMax = 32

/** How a judge grades: in each stage that has one. */
const judging = {
  method: z
    .enum(['auto', 'logprob', 'written'])
    .default('auto')
    .describe('logprob reads the probabilities of 好 and 差; written the word; auto the first where the server can'),
  massAtLeast: z
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe(
      'Probability of 好 and 差 together below which a record is dropped: the judge does not keep to the format',
    ),
}

export const screenOptions = z.strictObject({
  model: modelName,
  keepAtLeast: z.number().min(0).max(1).default(0.5).describe('Grade of the text below which a chunk is dropped'),
  ...judging,
  prompt: prompt(['screen'], ['text']).default('screen').describe("A template's name, or one's own"),
  sampling,
})
export type ScreenOptions = z.output<typeof screenOptions>

export const labelOptions = z.strictObject({
  model: modelName,
  variants: z.int().min(1).max(16).default(1).describe('Instructions asked for each chunk'),
  kinds: z
    .array(z.enum(instructionKinds))
    .max(instructionKinds.length)
    .optional()
    .describe(
      'Kinds of instructions, each in turn from one that the id of the chunk decides; all where variants is over 1; [] for none',
    ),
  exams: z
    .enum(['label', 'extract'])
    .default('extract')
    .describe('extract: a text with one exam question is its question and answer, without a call; label: as any text'),
  prompt: prompt(['label-chat', 'label-kun'], ['text'])
    .default('label-chat')
    .describe("A template's name, or one's own; label-kun by default where the model is m-a-p/Kun-LabelModel"),
  sampling,
  filter: instructionFilterOptions.prefault({}),
  personal: replyPersonal('instruction'),
})
export type LabelOptions = z.output<typeof labelOptions>

export const scoreOptions = z.strictObject({
  model: modelName,
  keepAtLeast: z.number().min(0).max(1).default(0.5).describe('Score below which a pair is dropped'),
  ...judging,
  prompt: prompt(['score'], ['instruction']).default('score').describe("A template's name, or one's own"),
  sampling,
})
export type ScoreOptions = z.output<typeof scoreOptions>

export const polishOptions = z.strictObject({
  model: modelName,
  mode: z
    .enum(['rewrite', 'distil', 'raw'])
    .default('rewrite')
    .describe(
      'rewrite: the text as an answer; distil: an answer from the knowledge of the model; raw: the text itself, no call',
    ),
  prompt: prompt(['polish'], ['text', 'instruction']).default('polish').describe("A template's name, or one's own"),
  sampling,
  filter: outputFilterOptions.prefault({}),
  personal: replyPersonal('output'),
  support: supportOptions.prefault({}),
})
export type PolishOptions = z.output<typeof polishOptions>

const gradeAtLeast = () => z.number().min(0).max(1).default(0.5)

export const pairOptions = z.strictObject({
  model: modelName,
  answersAtLeast: gradeAtLeast().describe(
    'Grade of "does the output answer the instruction" below which a pair is dropped',
  ),
  followsAtLeast: gradeAtLeast().describe(
    'Grade of "does the output follow from the text" below which a pair is dropped',
  ),
  ...judging,
  promptAnswers: prompt(['pair-answers'], ['instruction', 'output'])
    .default('pair-answers')
    .describe("A template's name, or one's own"),
  promptFollows: prompt(['pair-follows'], ['text', 'output'])
    .default('pair-follows')
    .describe("A template's name, or one's own"),
  sampling,
})
export type PairOptions = z.output<typeof pairOptions>

export const kunOptions = z.strictObject({
  screen: screenOptions.optional().describe('Left out: no model grades the text before an instruction is written'),
  label: labelOptions,
  score: scoreOptions.optional().describe('Left out: nothing is graded'),
  polish: polishOptions.optional().describe('Left out: the output of a row is the raw text'),
  pair: pairOptions.optional().describe('Left out: no model grades the finished pair'),
  columns: z
    .array(columnOptions)
    .max(columnsMax)
    .default([])
    .describe('Questions to a model, each a column of the rows'),
  dedupInstructions: z
    .enum(['off', 'exact', 'near'])
    .default('off')
    .describe(
      'Drops pairs whose instruction is equal to that of an earlier row of the same cut (exact), or alike: 3-gram similarity from 0.8 (near)',
    ),
})
export type KunOptions = z.output<typeof kunOptions>

/** Merges sampling fields: defaults, then the template's, then the recipe's. Null removes a field. */
export function samplingOf(...layers: readonly Readonly<Record<string, unknown>>[]): Record<string, unknown> {
  const merged: Record<string, unknown> = Object.assign({}, ...layers)
  return Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== null && value !== undefined))
}

/** Schemas of the options under `kun:` in a recipe. Presets (preset.ts) fill in other defaults before. */
import { z } from 'zod'
import { unpinned } from '../core/option-meta.js'
import { modelName, sampling } from './call-options.js'
import { columnOptions } from './column-options.js'
import { type CustomTemplateOptions, customTemplateOptions } from './custom-template.js'
import { instructionKinds } from './kinds.js'
import { presetNames } from './preset.js'
import { promptFileOptions } from './prompt-file.js'
import type { TemplateName } from './prompts.js'
import { instructionFilterOptions, outputFilterOptions } from './replies/filter-options.js'
import { replyPersonal } from './replies/personal.js'
import { supportOptions } from './support.js'

/** A built-in template for the stage, a custom one with the placeholders that the stage needs, or a file (checked later). */
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
  return z.union([z.enum(names), custom, promptFileOptions])
}

/** Fields of the record that the prompt of a stage must have. */
export const promptFields = {
  screen: ['text'],
  label: ['text'],
  score: ['instruction'],
  polish: ['text', 'instruction'],
  pairAnswers: ['instruction', 'output'],
  pairFollows: ['text', 'output'],
} as const

const placeholders = { text: '{text}', instruction: '{instruction}', output: '{output}' } as const

/** Columns that a recipe may add. */
const columnsMax = 32

/** How a judge grades: in each stage that has one. */
const judging = {
  method: z
    .enum(['auto', 'logprob', 'written', 'published'])
    .default('auto')
    .describe(
      'logprob reads the probabilities of 好 and 差; written the word; auto the first where the server can; published: has 【好】 and not 【差】',
    ),
  massAtLeast: z
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe(
      'Probability of 好 and 差 together below which a record is dropped: the judge does not keep to the format',
    ),
}

const perplexityBound = () => z.number().min(1).optional()

export const perplexityOptions = z.strictObject({
  model: modelName,
  keepAtMost: perplexityBound().describe('Perplexity of the text above which a chunk is dropped: broken or odd text'),
  keepAtLeast: perplexityBound().describe('Perplexity below which a chunk is dropped: text that repeats itself'),
})
export type PerplexityOptions = z.output<typeof perplexityOptions>

export const screenOptions = z.strictObject({
  model: modelName,
  keepAtLeast: z.number().min(0).max(1).default(0.5).describe('Grade of the text below which a chunk is dropped'),
  ...judging,
  prompt: prompt(['screen'], promptFields.screen).default('screen').describe("A template's name, one's own, or a file"),
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
  severalInstructions: z
    .enum(['first', 'variants'])
    .default('first')
    .describe('Of a reply with several instructions: the first alone, or each as a variant of its own'),
  severalInstructionsMax: z
    .int()
    .min(2)
    .max(16)
    .default(8)
    .describe('Instructions read from one reply with severalInstructions: variants; the rest is one reject'),
  exams: z
    .enum(['label', 'extract'])
    .default('extract')
    .describe('extract: a text with one exam question is its question and answer, without a call; label: as any text'),
  prompt: prompt(['label-chat', 'label-kun'], promptFields.label)
    .default('label-chat')
    .describe("A template's name, one's own, or a file; label-kun by default where the model is m-a-p/Kun-LabelModel"),
  sampling,
  filter: instructionFilterOptions.prefault({}),
  personal: replyPersonal('instruction'),
})
export type LabelOptions = z.output<typeof labelOptions>

export const scoreOptions = z.strictObject({
  model: modelName,
  keepAtLeast: z.number().min(0).max(1).default(0.5).describe('Score below which a pair is dropped'),
  ...judging,
  prompt: prompt(['score'], promptFields.score).default('score').describe("A template's name, one's own, or a file"),
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
  prompt: prompt(['polish'], promptFields.polish).default('polish').describe("A template's name, one's own, or a file"),
  sampling,
  tokensMax: z
    .int()
    .min(16)
    .optional()
    .describe('Tokens of text and instruction together, beyond which the instruction is cut; absent: no limit'),
  repairInstruction: z
    .boolean()
    .default(false)
    .describe('Cut the instruction at 5 blanks, or to a line that it repeats, after the answer is written'),
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
  promptAnswers: prompt(['pair-answers'], promptFields.pairAnswers)
    .default('pair-answers')
    .describe("A template's name, one's own, or a file"),
  promptFollows: prompt(['pair-follows'], promptFields.pairFollows)
    .default('pair-follows')
    .describe("A template's name, one's own, or a file"),
  sampling,
})
export type PairOptions = z.output<typeof pairOptions>

/** A completion that ends with the output, so that the answer alone is the end of it. */
const ifdPrompt = customTemplateOptions.superRefine(({ kind, text }, context) => {
  if (kind !== 'completion') {
    const message = `found ${kind}; the prompt of kun.ifd is not continued: it needs kind: completion`
    context.addIssue({ code: 'custom', path: ['kind'], input: kind, message })
  }
  if (text.endsWith('{output}') && text.includes('{instruction}')) return
  const message = 'the prompt needs {instruction}, and {output} at its end'
  context.addIssue({ code: 'custom', path: ['text'], input: text, message })
})

export const ifdOptions = z.strictObject({
  model: modelName,
  keepAtMost: z
    .number()
    .min(0)
    .optional()
    .describe('Difficulty above which a pair is dropped; from 1 on the instruction does not help (the paper: 1)'),
  keepAtLeast: z
    .number()
    .min(0)
    .optional()
    .describe('Difficulty below which a pair is dropped: the instruction gives the answer away'),
  answerPerplexityMax: perplexityBound().describe('Perplexity of the answer alone above which a pair is dropped'),
  prompt: z
    .union([z.literal('ifd'), ifdPrompt])
    .default('ifd')
    .describe("ifd, or one's own: a completion with {instruction} that ends with {output}"),
})
export type IfdOptions = z.output<typeof ifdOptions>

export const kunOptions = z.strictObject({
  preset: z
    .enum(presetNames)
    .default('default')
    .meta(
      unpinned('Which defaults the fields of the stages have: paper, those of the published scripts (docs/prompts.md)'),
    ),
  perplexity: perplexityOptions.optional().describe('Left out: the perplexity of texts is not measured'),
  screen: screenOptions.optional().describe('Left out: no model grades the text before an instruction is written'),
  label: labelOptions,
  score: scoreOptions.optional().describe('Left out: nothing is graded'),
  polish: polishOptions.optional().describe('Left out: the output of a row is the raw text'),
  pair: pairOptions.optional().describe('Left out: no model grades the finished pair'),
  ifd: ifdOptions.optional().describe('Left out: how much an instruction helps to predict its answer is not measured'),
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

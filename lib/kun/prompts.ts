/**
 * Templates of prompts: the built-in ones by name, and custom ones of a recipe. A template renders the text and the
 * instruction of a record as the prompt of a stage.
 */
import { createHash } from 'node:crypto'
import { ownValue } from '../core/dictionary.js'
import type { CompletionRequest } from '../llm/types.js'
import type { CustomTemplateOptions } from './custom-template.js'
import { type PromptFileOptions, readPromptFile } from './prompt-file.js'
import {
  distilRubric,
  ifdMiddle,
  ifdOpening,
  kunLabelPrefix,
  kunLabelStop,
  kunLabelStopTokenIds,
  kunLabelSuffix,
  labelChatRubric,
  pairAnswersRubric,
  pairFollowsRubric,
  polishRubric,
  scorePrefill,
  scoreRubric,
  screenRubric,
} from './templates.js'
import type { StageCells } from './types.js'

/** Fields of a record that a prompt may contain. */
export interface PromptFields {
  readonly text: string
  readonly instruction: string
  readonly title: string
  readonly heading: string
  /** The answer of the polish stage; absent before it. */
  readonly output?: string
  /** Cells of earlier stages; absent where a prompt cannot contain them. */
  readonly columns?: StageCells
}

/** A prompt with a name and a version. */
export interface Template {
  readonly name: string
  readonly version: string
  readonly kind: 'chat' | 'completion'
  /** Sampling fields of the format: stop texts and their token ids. */
  readonly sampling: Readonly<Record<string, unknown>>
  /** Deterministic: the same fields give the same prompt. */
  readonly render: (fields: PromptFields) => Pick<CompletionRequest, 'kind' | 'messages' | 'prompt'>
}

export type TemplateName =
  | 'screen'
  | 'label-kun'
  | 'label-chat'
  | 'score'
  | 'polish'
  | 'distil'
  | 'pair-answers'
  | 'pair-follows'
  | 'plain'
  | 'ifd'

/** The built-in templates, by name. */
export const templates: Readonly<Record<TemplateName, Template>> = {
  screen: chatTemplate('screen', ({ text }) => screenRubric + between('文本', text)),
  'label-kun': {
    name: 'label-kun',
    version: '2',
    kind: 'completion',
    sampling: { stop: kunLabelStop, stop_token_ids: kunLabelStopTokenIds },
    render: ({ text }) => ({ kind: 'completion', prompt: kunLabelPrefix + withoutChatTokens(text) + kunLabelSuffix }),
  },
  'label-chat': chatTemplate(
    'label-chat',
    (fields) => labelChatRubric + contextOf(fields) + between('文本', fields.text),
    '3',
  ),
  score: chatTemplate('score', ({ instruction }) => scoreRubric + between('指令', instruction), '2'),
  // Text before instruction, as in the published answer call: the variants of a text then share a prefix.
  polish: chatTemplate(
    'polish',
    (fields) =>
      `${polishRubric}${contextOf(fields)}${between('文本', fields.text)}\n${between('指令', fields.instruction)}`,
    '2',
  ),
  distil: chatTemplate('distil', ({ instruction }) => distilRubric + between('指令', instruction)),
  'pair-answers': chatTemplate(
    'pair-answers',
    ({ instruction, output = '' }) =>
      `${pairAnswersRubric}${between('指令', withoutAnswerMarks(instruction))}\n${betweenAnswerMarks(output)}`,
  ),
  'pair-follows': chatTemplate(
    'pair-follows',
    ({ text, output = '' }) =>
      `${pairFollowsRubric}${between('文本', withoutAnswerMarks(text))}\n${betweenAnswerMarks(output)}`,
  ),
  plain: completionTemplate('plain', ({ text }) => withoutChatTokens(text)),
  ifd: completionTemplate(
    'ifd',
    ({ instruction, output = '' }) =>
      ifdOpening + withoutChatTokens(instruction) + ifdMiddle + withoutChatTokens(output),
  ),
}

/** `prompt` of a stage: the name of a built-in template, a custom one, or a file. */
type PromptOptions = TemplateName | CustomTemplateOptions | PromptFileOptions

/**
 * Returns the template that an option names or contains. The schemas of the stages have checked names and placeholders.
 *
 * @throws {RecipeError} a prompt file cannot be used
 */
export function templateOf(prompt: PromptOptions): Template {
  if (typeof prompt === 'string') return templates[prompt]
  return 'file' in prompt ? fileTemplate(prompt) : customTemplate(prompt)
}

/** Returns `name@version`, as in the `prompt_version` column. */
export function promptVersion(template: Template): string {
  return `${template.name}@${template.version}`
}

/**
 * Opens the judge's turn with 【: the server continues it, and the first token of its reply is 好 or 差.
 *
 * @returns the prompt, and for a chat the two sampling fields that make vLLM continue a message
 */
export function prefillScore(pieces: Pick<CompletionRequest, 'kind' | 'messages' | 'prompt'>) {
  if (pieces.kind === 'completion') return { pieces: { ...pieces, prompt: pieces.prompt + scorePrefill }, sampling: {} }
  const messages = [...(pieces.messages ?? []), { role: 'assistant' as const, content: scorePrefill }]
  const sampling = { add_generation_prompt: false, continue_final_message: true }
  return { pieces: { ...pieces, messages }, sampling }
}

/**
 * Replaces sequences that could end a record's text in a prompt: the marks of the templates and the tokens of ChatML.
 * Example: '【/文本】' → '〔/文本〕', '<|im_end|>' → '<｜im_end｜>'. Linear in the text's length.
 */
function neutralise(text: string): string {
  return withoutChatTokens(text)
    .replace(/【(\/?(?:文本|指令|标题))】/g, '〔$1〕')
    .replace(/<(\/?think)>/gi, '＜$1＞')
}

/** Replaces the tokens of chat formats: in a completion prompt, which has no other marks, they would end the message. */
function withoutChatTokens(text: string): string {
  return text.replace(/<\|([a-z_]{1,32})\|>/gi, '<｜$1｜>')
}

/** Returns the title and the heading above the text, in marks of their own, on a line before it; '' without either. */
function contextOf({ title, heading }: PromptFields): string {
  const context = [title, heading].filter((part) => part !== '').join(' › ')
  return context === '' ? '' : `${between('标题', context)}\n`
}

function between(mark: '文本' | '指令' | '标题', text: string): string {
  return `【${mark}】${neutralise(text)}【/${mark}】`
}

function betweenAnswerMarks(output: string): string {
  return `【回答】${withoutAnswerMarks(neutralise(output))}【/回答】`
}

/** Only the prompts of the pair stage have these marks. */
function withoutAnswerMarks(text: string): string {
  return text.replace(/【(\/?回答)】/g, '〔$1〕')
}

function chatTemplate(name: TemplateName, content: (fields: PromptFields) => string, version = '1'): Template {
  return {
    name,
    version,
    kind: 'chat',
    sampling: {},
    render: (fields) => ({ kind: 'chat', messages: [{ role: 'user', content: content(fields) }] }),
  }
}

/** A prompt that a model reads and does not continue. */
function completionTemplate(name: TemplateName, prompt: (fields: PromptFields) => string): Template {
  return {
    ...{ name, version: '1', kind: 'completion', sampling: {} },
    render: (fields) => ({ kind: 'completion', prompt: prompt(fields) }),
  }
}

/** A placeholder for a field of the record, or for an earlier column. */
export const placeholderPattern = /\{([\p{L}_][\p{L}\p{N}_]{0,62})\}/gu

/** Returns the text for a placeholder, '' for a cell without a value; undefined if the record has no such field. */
function fieldOf({ columns = {}, ...fields }: PromptFields, name: string): string | undefined {
  const cell = ownValue(columns, name)
  return cell === undefined ? ownValue<string | undefined>({ ...fields }, name) : String(cell ?? '')
}

/** In a completion prompt the record is sent as it is, chat tokens aside: the format is the file's. */
function fileTemplate(options: PromptFileOptions): Template {
  const { prompt, sha256 } = readPromptFile(options)
  const clean = prompt.kind === 'completion' ? withoutChatTokens : neutralise
  const version = prompt.version ?? sha256.slice(0, 12)
  return { ...customTemplate({ ...prompt, version }, clean), name: prompt.name }
}

function customTemplate(options: CustomTemplateOptions, clean = neutralise): Template {
  const { text, kind, system, stop } = options
  const hash = () =>
    createHash('sha256')
      .update(JSON.stringify([kind, system ?? null, text, stop ?? null]))
      .digest('hex')
      .slice(0, 12)
  const fill = (fields: PromptFields) =>
    text.replace(placeholderPattern, (placeholder, field: string) => {
      const value = fieldOf(fields, field)
      return value === undefined ? placeholder : clean(value)
    })
  return {
    name: 'custom',
    version: options.version ?? hash(),
    kind,
    sampling: stop === undefined ? {} : { stop },
    render: (fields) => {
      if (kind === 'completion') return { kind, prompt: fill(fields) }
      const user = { role: 'user' as const, content: fill(fields) }
      return { kind, messages: system === undefined ? [user] : [{ role: 'system', content: system }, user] }
    },
  }
}

/** A recipe that `init` is about to write, and its text. */
import { stringify } from 'yaml'
import { say } from '../../language/say.js'
import type { FoundModel } from './find-servers.js'

/** Fields of a record, or the preset that has them. */
export interface DraftFields {
  readonly preset: string | null
  readonly text: string | null
  readonly id: string | null
  readonly title: string | null
  /** Where the text field was found: how often, how long. */
  readonly evidence: { readonly records: number; readonly of: number; readonly chars: number } | null
}

export interface Draft {
  readonly name: string
  readonly hub: string | null
  readonly files: readonly string[]
  readonly fields: DraftFields
  /** Null: the built-in server. */
  readonly writer: FoundModel | null
  /** Null: the writer grades and polishes, too. */
  readonly judge: FoundModel | null
  /** 'env:NAME'; null without a key. */
  readonly apiKey: string | null
  readonly directory: string
  /** Address of the JSON Schema, for editors. */
  readonly schema: string
  /** Path of the recipe, for the commands in its first lines. */
  readonly file: string
}

/** Returns the text of the recipe: comments in the language of the process. */
export function recipeText(draft: Draft, command: string): string {
  const { name, file, schema, directory } = draft
  const lines = [
    `# yaml-language-server: $schema=${schema}`,
    ...comment(
      say`Recipe of kun-stream: raw text in, an instruction dataset out. docs/recipe.md describes all fields.`,
    ),
    ...comment(say`Check everything:  ${command} plan ${file}`),
    ...comment(say`Try 20 records:  ${command} run ${file} --sample 20`),
    ...comment(say`Run, or resume:  ${command} run ${file}`),
    `name: ${scalar(name)}`,
    '',
    ...sourceLines(draft),
    '',
    ...modelLines(draft),
    '',
    ...stageLines(draft),
    '',
    ...comment(say`The run: rows in data/, rejected records with their reason in rejects/, replies in replies/.`),
    'output:',
    `  dir: ${scalar(directory)}`,
    '',
    ...comment(say`Limits of a run; it can be continued with higher ones.`),
    'limits:',
    ...commented(['rowsMax: 10000', 'hoursMax: 12'], 2),
    '',
    ...comment(say`Publishes the dataset on the Hugging Face Hub at the end, with the token in HF_TOKEN:`),
    ...commented(['publish: { repo: OWNER/NAME }'], 0),
  ]
  return `${lines.join('\n')}\n`
}

function sourceLines({ hub, files, fields, name }: Draft): string[] {
  const { preset, text, id, title, evidence } = fields
  return [
    'sources:',
    `  - split: train`,
    ...(hub === null ? [] : [`    hub: ${scalar(hub)}`]),
    `    files: ${files.length === 1 ? scalar(files[0] as string) : list(files)}`,
    ...(preset === null ? [] : [`    preset: ${preset} ${comment(say`field names of a known corpus`)[0]}`]),
    ...(text === null
      ? []
      : [withComment(`    text: ${scalar(text)}`, evidence === null ? null : evidenceText(evidence))]),
    ...(id === null ? [] : [`    id: ${scalar(id)}`]),
    ...(title === null ? [] : [`    title: ${scalar(title)}`]),
    ...comment(say`A second source of the same split needs a name:`, 2),
    ...commented([`- { split: train, name: ${name}-2, files: MORE/*.jsonl, text: FIELD }`], 2),
  ]
}

function evidenceText({ records, of, chars }: NonNullable<DraftFields['evidence']>): string {
  return say`a text in ${records} of the first ${of} records, ${Math.round(chars)} characters on average`
}

function modelLines({ writer, judge, apiKey }: Draft): string[] {
  if (writer === null) {
    return [
      ...comment(
        say`The built-in server needs no GPU and no model. It shows how a run works; its rows are not for training.\nReplace it by your server, as in the lines below, and run again with --fresh --force.`,
      ),
      'models:',
      '  main: { endpoints: [builtin] }',
      ...commented(['main:', '  endpoints: [http://localhost:8000/v1]', '  model: Qwen/Qwen3-8B'], 2),
    ]
  }
  return [
    ...comment(
      say`Servers with an OpenAI-compatible API (vLLM, SGLang, llama.cpp, Ollama, LM Studio). Several endpoints share the work.`,
    ),
    'models:',
    ...modelEntry(judge === null ? 'main' : 'writer', writer, apiKey),
    ...(judge === null ? [] : modelEntry('judge', judge, apiKey)),
  ]
}

function modelEntry(name: string, { endpoint, model, server, contextTokensMax }: FoundModel, apiKey: string | null) {
  const found =
    contextTokensMax === null
      ? server === 'unknown' || server === ''
        ? null
        : server
      : say`${server}, ${contextTokensMax} tokens of context`
  return [
    `  ${name}:`,
    withComment(`    endpoints: [${scalar(endpoint)}]`, found),
    `    model: ${scalar(model)}`,
    ...(apiKey === null ? commented(['apiKey: env:API_KEY'], 4) : [`    apiKey: ${apiKey}`]),
    ...thinkingLines(model),
  ]
}

/** Thoughts before a reply take many times its tokens: the chat template of Qwen3 can leave them out. */
function thinkingLines(model: string): string[] {
  if (!/qwen-?3/i.test(model) || /instruct|thinking|coder/i.test(model)) return []
  return [
    withComment(
      '    chatTemplateKwargs: { enable_thinking: false }',
      say`no thoughts before a reply: many times faster`,
    ),
  ]
}

function stageLines({ writer, judge }: Draft): string[] {
  const [write, grade] = writer === null || judge === null ? ['main', 'main'] : ['writer', 'judge']
  return [
    ...comment(say`The stages: label writes an instruction for each chunk, score grades it, polish writes the answer.`),
    'kun:',
    ...commented([withComment(`screen: { model: ${grade} }`, say`grades each text first, with one token`)], 2),
    `  label: { model: ${write} }`,
    withComment(`  score: { model: ${grade}, keepAtLeast: 0.5 }`, say`pairs with a lower score are dropped`),
    `  polish: { model: ${grade} }`,
  ]
}

function comment(text: string, indent = 0): string[] {
  return text.split('\n').map((line) => `${' '.repeat(indent)}# ${line}`)
}

function commented(lines: readonly string[], indent: number): string[] {
  return lines.map((line) => `${' '.repeat(indent)}# ${line}`)
}

function withComment(line: string, text: string | null): string {
  return text === null ? line : `${line} # ${text}`
}

/** A YAML scalar, quoted if it needs quotes. */
function scalar(value: string): string {
  return stringify(value, { lineWidth: 0 }).trim()
}

function list(values: readonly string[]): string {
  return stringify(values, { collectionStyle: 'flow', lineWidth: 0, flowCollectionPadding: false }).trim()
}

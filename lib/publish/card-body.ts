/**
 * The text of a dataset card, in Markdown: contents, how it was made, what was dropped, limits. In both languages, whatever the
 * language of the process: a dataset has the same bytes.
 */

import { stringify } from 'yaml'
import { ownValue } from '../core/dictionary.js'
import { isRecord } from '../core/objects.js'
import { processSecrets } from '../core/redaction.js'
import { version } from '../core/version.js'
import { grouped } from '../language/grouped.js'
import { type Words, wordsOf } from '../language/words.js'
import { card } from '../language/zh/card.js'
import { reasons as reasonsInChinese } from '../language/zh/reasons.js'
import type { Feature } from '../parquet/features.js'
import { reasonMeaning } from '../reject-reasons.js'
import type { CardFacts, FunnelCounters, SplitFacts } from './card-facts.js'
import { figuresSection } from './card-figures.js'
import { funnelStages } from './funnel-svg.js'
import { code, codeBlock, inline } from './markdown.js'

/** Languages of the card: its file, and the text of the link to it from the other one. */
export const cardLanguages = {
  en: { path: 'README.md', link: 'English', words: wordsOf(null) },
  zh: { path: 'README_zh.md', link: '中文', words: wordsOf({ ...reasonsInChinese, ...card }) },
} as const

export type CardLanguage = keyof typeof cardLanguages

interface CardBodyOptions {
  readonly repo: string
  readonly facts: CardFacts
  readonly splits: readonly SplitFacts[]
  /** Rows of other runs in the same dataset. */
  readonly otherRows: number
  /** Path of the picture in the repository. */
  readonly picture: string | null
  readonly language: CardLanguage
}

const sampleCharsMax = 400
const recipeCharsMax = 20_000

export function cardBody({ repo, facts, splits, otherRows, picture, language }: CardBodyOptions): string {
  const name = repo.slice(repo.indexOf('/') + 1)
  const { words } = cardLanguages[language]
  const { say } = words
  const other = cardLanguages[language === 'en' ? 'zh' : 'en']
  const sections = [
    `# ${name}`,
    `[${other.link}](${other.path})`,
    introduction(words, splits, otherRows, facts),
    `${say`## How it was made`}\n\n${making(words, facts)}`,
    facts.counters === null ? '' : `${say`## What stayed behind`}\n\n${funnel(words, facts, picture)}`,
    inNumbers(words, facts),
    `${say`## Samples`}\n\n${samples(facts)}`,
    `${say`## Columns`}\n\n${columns(words, facts.features)}`,
    `${say`## Limits and biases`}\n\n${limits(words)}`,
    `${say`## How to reproduce it`}\n\n${reproduction(words, facts)}`,
    `${say`## Citation`}\n\n${citation(words)}`,
  ]
  return processSecrets.text(sections.filter((section) => section !== '').join('\n\n'))
}

function introduction(
  { say }: Words,
  splits: readonly SplitFacts[],
  otherRows: number,
  { extractive }: CardFacts,
): string {
  const total = grouped(splits.reduce((sum, { rows }) => sum + rows, 0))
  const lines = splits.map(({ name, rows }) => `| ${code(name)} | ${grouped(rows)} |`)
  const pairs = extractive
    ? say`${total} pairs of a Chinese instruction and its answer. The answers are passages of a corpus. **No language model
        wrote these instructions**: they come from the built-in extractive writer (key phrases and templates), which shows how
        kun-stream works. They are no training data.`
    : say`${total} pairs of a Chinese instruction and its answer. The answers are passages of a corpus. A language model wrote
        the instruction that each one answers (instruction back-translation, the Kun method).`
  const others =
    otherRows === 0
      ? ''
      : say` Other runs wrote ${grouped(otherRows)} of the rows: what this card tells of models, recipe and funnel is of the
          last run.`
  return `${pairs}${others}\n\n${say`| split | rows |`}\n|---|---:|\n${lines.join('\n')}`
}

function making({ say }: Words, { pinned, sources }: CardFacts): string {
  const tool = `[kun-stream](https://www.npmjs.com/package/kun-stream) ${version}`
  const steps = say`Made with ${tool}: texts were cleaned, cut into chunks and deduplicated; a label model wrote an
    instruction for each chunk; what was not a sound instruction was dropped; a judge graded the pairs; a model polished the
    answers, and the polished text was checked against the passage.`
  if (pinned === null) return steps
  const rows = sources.map(({ split, name, hub, commit, shards, bytes }) => {
    const dataset = hub === null ? say`files` : datasetLink(hub)
    const from = commit === null ? dataset : say`${dataset} at commit ${code(commit.slice(0, 12))}`
    const of = name === split ? code(split) : say`${code(split)}, source ${code(name)}`
    return `| ${of} | ${from} | ${grouped(shards)} | ${grouped(bytes)} |`
  })
  const head = say`| split | read from | files | bytes |`
  const table = rows.length === 0 ? '' : `\n\n${head}\n|---|---|---:|---:|\n${rows.join('\n')}`
  return `${say`${steps} Models, prompts and thresholds are in the recipe below.`}${table}`
}

/** run.json may come from an untrusted source: only a valid dataset name becomes a link. */
function datasetLink(hub: string): string {
  return /^[\w.-]+\/[\w.-]+$/.test(hub) ? `[${inline(hub)}](https://huggingface.co/datasets/${hub})` : inline(hub)
}

function funnel(words: Words, { counters }: CardFacts, picture: string | null): string {
  const { say } = words
  if (counters === null) return ''
  const rows = funnelStages(counters).map(({ name, in: taken, out, reasons }) => {
    const why = reasons.map(([reason, number]) => `${inline(reason)} ${grouped(number)}`).join(', ')
    return `| ${inline(name)} | ${grouped(taken)} | ${grouped(out)} | ${why} |`
  })
  const image = picture === null ? '' : `![${say`What each stage took in and let through`}](${picture})\n\n`
  const head = say`| stage | in | out | dropped, by reason |`
  return `${image}${head}\n|---|---:|---:|---|\n${rows.join('\n')}${reasonMeanings(words, counters)}`
}

function inNumbers(words: Words, { counters }: CardFacts): string {
  const figures = Object.values(counters ?? {}).flatMap((split) => (split.figures === undefined ? [] : [split.figures]))
  const section = figures.length === 0 ? '' : figuresSection(words, figures)
  return section === '' ? '' : `${words.say`## In numbers`}\n\n${section}`
}

/** Explains the reasons of the funnel, except those of custom filters. */
function reasonMeanings({ say, translated }: Words, counters: FunnelCounters): string {
  const reasons = new Set(funnelStages(counters).flatMap(({ reasons }) => reasons.map(([reason]) => reason)))
  const lines = [...reasons].flatMap((reason) => {
    const means = reasonMeaning(reason)
    return means === null ? [] : `- ${say`${code(reason)}: ${translated(means)}`}`
  })
  return lines.length === 0 ? '' : `\n\n${lines.join('\n')}`
}

function samples({ samples }: CardFacts): string {
  return samples
    .map(({ split, row }) => {
      const { instruction, output } = pairOf(row)
      return `**${code(split)}**\n\n> ${inline(shortened(instruction))}\n\n${codeBlock(shortened(output), 'text')}`
    })
    .join('\n\n')
}

function pairOf(row: Readonly<Record<string, unknown>>): { instruction: string; output: string } {
  const messages = row.messages as { role: string; content: string }[] | undefined
  const said = (role: string) => messages?.find((message) => message.role === role)?.content
  return {
    instruction: String(row.instruction ?? said('user') ?? ''),
    output: String(row.output ?? said('assistant') ?? ''),
  }
}

/** Meanings of the columns that stages write. */
export const columnMeanings: Readonly<Record<string, string>> = {
  instruction: 'written by the label model',
  output: 'the passage, polished where the recipe has a polish stage',
  messages: 'the same as a conversation: user, assistant',
  id: 'hash of split, shard, offset, chunk and variant: the same in every run',
  source: 'name of the source in the recipe, which is the split by default',
  shard: 'file of the source, after the name of the source if it has one',
  offset: 'place of the document in its shard: bytes of the decompressed file, or the row of a Parquet file',
  chunk: 'ordinal of the chunk in its document',
  variant: 'ordinal of the instruction for this chunk',
  key: "the document's own id, '' when it has none",
  title: "the document's title, '' when it has none",
  raw: 'the passage as it stood in the corpus, after cleaning',
  perplexity: 'perplexity of the passage by a model',
  screen: 'grade of the text by the judge, 0 to 1',
  kind: 'kind and difficulty of the instruction that was asked for; null for an exam',
  route: 'label: written by the label model; exam: the question and answer of the text',
  support: 'share of the content of the output that is in its text, 0 to 1',
  support_facts: 'share of the numbers and Latin names of the output that are in its text, 0 to 1',
  copied: 'share of the output in long runs of its text, 0 to 1',
  length_ratio: 'letters of the output for each letter of its text',
  pair_answers: 'grade of the judge: does the output answer the instruction, 0 to 1',
  pair_follows: 'grade of the judge: does the output follow from its text, 0 to 1',
  ifd: 'instruction-following difficulty: loss of the output after the instruction over its loss alone',
  answer_perplexity: 'perplexity of the output alone by a model',
  score: 'grade of the instruction by the judge, 0 to 1',
  score_kind: 'how the grade was read: from token probabilities or from the text',
  score_mass: 'share of probability on the grades that were allowed, 0 to 1',
  model: "the recipe's names of the models",
  prompt_version: 'name and version of the prompts',
}

function columns({ say, translated }: Words, features: readonly Feature[]): string {
  const rows = features.map(({ name, dtype, list }) => {
    const type = list === undefined ? dtype : say`list of {${list.map((field) => field.name).join(', ')}}`
    return `| ${code(name)} | ${inline(String(type))} | ${translated(ownValue(columnMeanings, name) ?? '')} |`
  })
  return `${say`| column | type | meaning |`}\n|---|---|---|\n${rows.join('\n')}`
}

function limits({ say }: Words): string {
  return say`The instructions are machine-written and were graded by a machine: expect some that their answer does not fit.
    Answers repeat the facts, opinions, errors and biases of web text; polishing may have altered facts. Personal data that
    stands in the sources may stand here. The licences of the source corpora and of the models apply to what was made from
    them.`
}

function reproduction({ say }: Words, { pinned }: CardFacts): string {
  const base = say`The same input, recipe and replies give the same bytes with kun-stream ${version}; a model server that samples
    answers differently when asked again.`
  if (pinned === null) return base
  const text = stringify(withoutSecrets(isRecord(pinned) ? (pinned.recipe ?? pinned) : pinned), { lineWidth: 0 })
  const shown =
    text.length > recipeCharsMax ? `${text.slice(0, recipeCharsMax)}\n${say`# … shortened`}` : text.trimEnd()
  return `${base}\n\n${codeBlock(shown, 'yaml')}`
}

function citation({ say }: Words): string {
  const paper =
    'Zheng et al., *Kun: Answer Polishment for Chinese Self-Alignment with Instruction Back-Translation*, 2024, [arXiv:2401.06477](https://arxiv.org/abs/2401.06477)'
  return say`The method: ${paper}.`
}

/** run.json holds no secrets; the card is public, so its values are filtered once more. */
function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets)
  if (typeof value === 'string') return value.replace(/\b(?:hf_\w{3,}|sk-[\w-]{3,})/g, '…')
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !/token$|api[-_]?key|secret|passw|authori[sz]ation|cookie|credential/i.test(key))
      .map(([key, inner]) => [key, withoutSecrets(inner)]),
  )
}

function shortened(text: string): string {
  const characters = [...text]
  return characters.length > sampleCharsMax ? `${characters.slice(0, sampleCharsMax).join('')}…` : text
}

/**
 * The dataset card: README.md with YAML for the Hub and text for people, and README_zh.md with the text in Chinese. The generated
 * part is between two marks; text around it, and YAML fields that are not computed here, belong to the user and are kept.
 */
import { isMap, parseDocument } from 'yaml'
import { UsageError } from '../errors.js'
import type { HubDataset, Operation } from '../hub/dataset.js'
import type { HubFileEntry } from '../hub/file.js'
import { say } from '../language/say.js'
import type { Feature } from '../parquet/features.js'
import { type CardLanguage, cardBody, cardLanguages } from './card-body.js'
import { type CardFacts, readCardFacts, type SplitFacts } from './card-facts.js'
import { splitFrontMatter, withOwnPart } from './card-parts.js'
import type { DataFile } from './contents.js'
import type { DatasetFooters } from './dataset-footers.js'
import { funnelSvg } from './funnel-svg.js'
import type { PublishSettings } from './options.js'
import { compare } from './plan.js'
import type { ForeignFile } from './target.js'

const picturePath = 'assets/funnel.svg'

export interface CardData {
  readonly splits: readonly SplitFacts[]
  readonly features: readonly Feature[]
  /** Bytes of the files as they are downloaded. */
  readonly downloadBytes: number
  readonly sources: readonly string[]
  readonly license?: string | undefined
}

/** Returns README.md, README_zh.md and the picture, and the card to commit while the data files are not complete. */
export async function cardFiles(options: {
  readonly directory: string
  readonly settings: PublishSettings
  readonly dataset: HubDataset
  readonly footers: DatasetFooters
  readonly repo: string
  readonly files: readonly DataFile[]
  /** Data files of other runs that are kept. */
  readonly kept: readonly ForeignFile[]
  readonly head: string
  readonly listed: ReadonlyMap<string, HubFileEntry>
}): Promise<{ files: ReadonlyMap<string, string>; opening: Operation }> {
  const { directory, settings, dataset, footers, repo, files, kept, head, listed } = options
  const facts = await readCardFacts(directory)
  const all: SplitFacts[] = files.map(({ split, rows, uncompressedBytes }) => ({
    name: split,
    rows,
    bytes: uncompressedBytes,
  }))
  await checkColumnsFit(repo, facts.features, kept, footers, head)
  let otherRows = 0
  for (const file of kept) {
    const { rows, bytes } = await footers.of(head, file)
    all.push({ name: file.split, rows, bytes })
    otherRows += rows
  }
  const splits = summed(all)
  const data: CardData = {
    splits,
    features: facts.features,
    downloadBytes:
      files.reduce((sum, { bytes }) => sum + bytes, 0) + kept.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    sources: sourcesOf(facts),
    license: settings.license,
  }
  const picture = facts.counters === null ? null : picturePath
  const bodyOf = (language: CardLanguage) => cardBody({ repo, facts, splits, otherRows, picture, language })
  const existing = async (path: string) => (listed.has(path) ? await dataset.text(head, path) : '')
  const { en, zh } = cardLanguages
  const english = await existing(en.path)
  const chinese = (await existing(zh.path)).replaceAll('\r\n', '\n')
  const written = new Map([
    [en.path as string, mergeCard(english, data, bodyOf('en'), true)],
    [zh.path, `${withOwnPart(chinese, bodyOf('zh')).trim()}\n`],
  ])
  if (facts.counters !== null) written.set(picturePath, funnelSvg(facts.counters))
  return {
    files: written,
    opening: { kind: 'small', path: en.path, content: mergeCard(english, data, bodyOf('en'), false) },
  }
}

/**
 * Checks that kept files have the columns of this run: `datasets` reads the files of a dataset as one table.
 *
 * @throws {UsageError} a file has other columns
 */
export async function checkColumnsFit(
  repo: string,
  features: readonly Feature[],
  kept: readonly HubFileEntry[],
  footers: DatasetFooters,
  head: string,
): Promise<void> {
  const ours = columnsOf(features)
  for (const file of kept) {
    const theirs = columnsOf((await footers.of(head, file)).features)
    if (theirs.join() === ours.join()) continue
    const differ = [...theirs.filter((each) => !ours.includes(each)), ...ours.filter((each) => !theirs.includes(each))]
    throw new UsageError(
      say`${file.path} of ${repo} has other columns than this run (${differ.join(', ')}), and a dataset has
        one set of columns: publish to another dataset, or use --replace to delete the existing files`,
    )
  }
}

function columnsOf(features: readonly Feature[]): string[] {
  return features.map(({ name, dtype, list }) => `${name} ${dtype ?? `[${columnsOf(list ?? [])}]`}`).sort(compare)
}

/**
 * Returns the card with the generated YAML fields and the generated part; everything else is unchanged.
 *
 * @param counted false omits sizes: `datasets` refuses to load a dataset whose counts differ from the card
 */
export function mergeCard(existing: string, data: CardData, body: string, counted: boolean): string {
  const [frontMatter, text] = splitFrontMatter(existing.replaceAll('\r\n', '\n'))
  return `---\n${mergeFields(frontMatter, data, counted)}---\n\n${withOwnPart(text, body).trim()}\n`
}

function mergeFields(frontMatter: string, data: CardData, counted: boolean): string {
  const document = parseDocument(frontMatter)
  if (document.errors.length > 0 || (document.contents !== null && !isMap(document.contents))) {
    throw new UsageError(
      say`the YAML at the top of README.md on the Hub cannot be read
        (${document.errors[0]?.message.split('\n')[0] ?? 'no fields'}): correct it there, then publish
        again`,
    )
  }
  const set = (key: string, value: unknown) => document.set(key, document.createNode(value))
  const suggest = (key: string, value: unknown) => {
    if (!document.has(key)) set(key, value)
  }
  suggest('language', ['zh'])
  if (data.license !== undefined) set('license', data.license)
  suggest('task_categories', ['text-generation', 'question-answering'])
  if (data.sources.length > 0) suggest('source_datasets', data.sources)
  suggest('tags', ['synthetic', 'instruction-tuning', 'back-translation', 'kun-stream'])
  const rows = data.splits.reduce((sum, split) => sum + split.rows, 0)
  const dataFiles = data.splits.map(({ name }) => ({ split: name, path: `data/${name}-*` }))
  set('configs', [{ config_name: 'default', data_files: dataFiles }])
  if (counted) {
    set('size_categories', [sizeCategory(rows)])
    set('dataset_info', datasetInfo(data))
  } else {
    document.delete('dataset_info')
  }
  return document.toString({ lineWidth: 0 })
}

function datasetInfo({ features, splits, downloadBytes }: CardData): object {
  return {
    features: features.map(featureField),
    splits: splits.map(({ name, rows, bytes }) => ({ name, num_bytes: bytes, num_examples: rows })),
    download_size: downloadBytes,
    dataset_size: splits.reduce((sum, { bytes }) => sum + bytes, 0),
  }
}

function featureField({ name, dtype, list }: Feature): object {
  return list === undefined ? { name, dtype } : { name, list: list.map(featureField) }
}

/** The size categories of the Hub's filter. */
function sizeCategory(rows: number): string {
  const steps = ['1K', '10K', '100K', '1M', '10M', '100M', '1B', '10B', '100B', '1T']
  let at = 0
  while (at < steps.length && rows >= 1000 * 10 ** at) at++
  if (at === 0) return 'n<1K'
  return at === steps.length ? 'n>1T' : `${steps[at - 1]}<n<${steps[at]}`
}

/** Returns the datasets on the Hub that the recipe reads. */
function sourcesOf({ sources }: CardFacts): string[] {
  return [...new Set(sources.flatMap(({ hub }) => hub ?? []))].sort(compare)
}

function summed(all: readonly SplitFacts[]): SplitFacts[] {
  const sums = new Map<string, SplitFacts>()
  for (const { name, rows, bytes } of all) {
    const sum = sums.get(name)
    sums.set(name, { name, rows: rows + (sum?.rows ?? 0), bytes: bytes + (sum?.bytes ?? 0) })
  }
  return [...sums.values()].sort((a, b) => compare(a.name, b.name))
}

/**
 * The dataset card: README.md with what the Hub reads (YAML) and what people read. Our part stands between two markers;
 * everything else in it is the user's and stays, as do the YAML fields that we do not count ourselves.
 */
import { isMap, parseDocument } from 'yaml'
import { UsageError } from '../errors.js'
import type { Operation, Remote, RemoteFile } from '../hub/remote.js'
import type { Feature } from '../parquet/features.js'
import { cardBody } from './card-body.js'
import { type CardFacts, readCardFacts, type SplitFacts } from './card-facts.js'
import { splitFrontMatter, withOwnPart } from './card-parts.js'
import type { DataFile } from './contents.js'
import { funnelSvg } from './funnel-svg.js'
import type { PublishSettings } from './options.js'
import { compare } from './plan.js'
import type { RemoteFooters } from './remote-footers.js'

const picturePath = 'assets/funnel.svg'

export interface CardData {
  readonly splits: readonly SplitFacts[]
  readonly features: readonly Feature[]
  /** Bytes of the files as they are downloaded. */
  readonly downloadBytes: number
  readonly sources: readonly string[]
  readonly license?: string | undefined
}

/** README.md and the picture, and the card for a dataset that is not whole yet. */
export async function cardFiles(options: {
  readonly directory: string
  readonly settings: PublishSettings
  readonly remote: Remote
  readonly footers: RemoteFooters
  readonly repo: string
  readonly files: readonly DataFile[]
  /** Data files of other runs that stay. */
  readonly kept: readonly (RemoteFile & { readonly split: string })[]
  readonly head: string
  readonly listed: ReadonlyMap<string, RemoteFile>
}): Promise<{ files: ReadonlyMap<string, string>; opening: Operation }> {
  const { directory, settings, remote, footers, repo, files, kept, head, listed } = options
  const facts = await readCardFacts(directory)
  const all: SplitFacts[] = files.map(({ split, rows, uncompressedBytes }) => ({
    name: split,
    rows,
    bytes: uncompressedBytes,
  }))
  await mustFit(repo, facts.features, kept, footers, head)
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
    downloadBytes: [...files, ...kept].reduce((sum, { bytes }) => sum + bytes, 0),
    sources: sourcesOf(facts),
    license: settings.license,
  }
  const picture = facts.counters === null ? null : picturePath
  const body = cardBody({ repo, facts, splits, otherRows, picture })
  const existing = listed.has('README.md') ? await remote.text(head, 'README.md') : ''
  const written = new Map([['README.md', mergeCard(existing, data, body, true)]])
  if (facts.counters !== null) written.set(picturePath, funnelSvg(facts.counters))
  return {
    files: written,
    opening: { kind: 'small', path: 'README.md', content: mergeCard(existing, data, body, false) },
  }
}

/**
 * `datasets` reads the files of a dataset as one table: all must have the columns of the card.
 *
 * @throws {UsageError} a file that shall stay has others
 */
export async function mustFit(
  repo: string,
  features: readonly Feature[],
  kept: readonly RemoteFile[],
  footers: RemoteFooters,
  head: string,
): Promise<void> {
  const ours = columnsOf(features)
  for (const file of kept) {
    const theirs = columnsOf((await footers.of(head, file)).features)
    if (theirs.join() === ours.join()) continue
    const differ = [...theirs.filter((each) => !ours.includes(each)), ...ours.filter((each) => !theirs.includes(each))]
    throw new UsageError(
      `${file.path} of ${repo} has other columns than this run (${differ.join(', ')}), and a dataset has one set of columns: ` +
        'publish to another dataset, or say --replace to delete what is there',
    )
  }
}

function columnsOf(features: readonly Feature[]): string[] {
  return features.map(({ name, dtype, list }) => `${name} ${dtype ?? `[${columnsOf(list ?? [])}]`}`).sort(compare)
}

/**
 * A card with our YAML fields and our part in it; the user's text before and after it, and other fields, as they were.
 *
 * @param counted false leaves sizes out: `datasets` refuses a dataset whose counts are not those of its card
 */
export function mergeCard(existing: string, data: CardData, body: string, counted: boolean): string {
  const [frontMatter, text] = splitFrontMatter(existing.replaceAll('\r\n', '\n'))
  return `---\n${mergeFields(frontMatter, data, counted)}---\n\n${withOwnPart(text, body).trim()}\n`
}

function mergeFields(frontMatter: string, data: CardData, counted: boolean): string {
  const document = parseDocument(frontMatter)
  if (document.errors.length > 0 || (document.contents !== null && !isMap(document.contents))) {
    throw new UsageError(
      `The YAML at the top of README.md on the Hub cannot be read (${document.errors[0]?.message.split('\n')[0] ?? 'no fields'}): mend it there, then publish again`,
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

/** As the Hub's filter has them. */
function sizeCategory(rows: number): string {
  const steps = ['1K', '10K', '100K', '1M', '10M', '100M', '1B', '10B', '100B', '1T']
  let at = 0
  while (at < steps.length && rows >= 1000 * 10 ** at) at++
  if (at === 0) return 'n<1K'
  return at === steps.length ? 'n>1T' : `${steps[at - 1]}<n<${steps[at]}`
}

/** Datasets on the Hub that the recipe reads. */
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

/**
 * The sources of a recipe: lists their shards (of the Hub, of buckets, of local files, of standard input, and of earlier
 * runs), and checks that the first records of each have a text, before anything else is started: a wrong field, an empty
 * file or another format would otherwise be noticed after hundreds of records, or not at all beside a source that is right.
 */

import { RecipeError, SourceNotFoundError } from '../errors.js'
import { hubSettings } from '../hub/settings.js'
import { type HubTransport, type HubTransportOptions, hubTransport } from '../hub/transport.js'
import { count } from '../language/count.js'
import { say } from '../language/say.js'
import { s3Settings } from '../objects/s3/settings.js'
import { S3Transport } from '../objects/s3/transport.js'
import { proposeFields } from '../sources/field-proposal.js'
import { type FirstRecords, firstRecords } from '../sources/first-records.js'
import { hubShards } from '../sources/hub-shards.js'
import { boundsOf, localShards, presets, type Shard, stdinShard } from '../sources/index.js'
import { bucketOf, isS3Glob, s3Shards } from '../sources/s3-shards.js'
import type { FieldMapping } from '../text/mapping.js'
import type { QualityOptions } from '../text/quality-options.js'
import { runShards } from './run-shards.js'
import type { Recipe, RecipeSource } from './schema.js'
import { resolveSecret } from './secrets.js'

/** Connections to the Hub and to buckets. Sources with one token or bucket share connections and request budget. */
export class SourceConnections {
  readonly #options: HubTransportOptions
  readonly #opened = new Map<string | undefined, HubTransport>()
  readonly #buckets = new Map<string, S3Transport>()

  constructor(options: HubTransportOptions) {
    this.#options = options
  }

  of(token: string | undefined): HubTransport {
    const transport = this.#opened.get(token) ?? hubTransport(hubSettings({ token }), this.#options)
    this.#opened.set(token, transport)
    return transport
  }

  bucket(name: string): S3Transport {
    const transport =
      this.#buckets.get(name) ??
      new S3Transport(name, s3Settings(), { renewed: s3Settings, onWait: this.#options.onWait })
    this.#buckets.set(name, transport)
    return transport
  }

  async close(): Promise<void> {
    for (const transport of [...this.#opened.values(), ...this.#buckets.values()]) await transport.close()
  }
}

/**
 * Lists the shards of all sources, in the order of the recipe.
 *
 * @throws {SourceNotFoundError} with the path of the source in the recipe
 */
export async function listShards(sources: readonly RecipeSource[], connections: SourceConnections): Promise<Shard[]> {
  const shards: Shard[] = []
  for (const [index, source] of sources.entries()) {
    const path = `sources[${index}]`
    const list = listings[kindOf(source)]
    const mapped = { source, mapping: mappingOf(source), path }
    const listed = await list(mapped, connections).catch((error: unknown) => {
      if (!(error instanceof SourceNotFoundError)) throw error
      throw new SourceNotFoundError(`${path}.files: ${error.message}`, { cause: error, details: error.details })
    })
    for (const shard of listed) shards.push(named(shard, source.name))
  }
  return shards
}

/** Puts the name of the source before the path, which is then unique among the sources of a split. */
function named(shard: Shard, source: string | undefined): Shard {
  if (source === undefined) return shard
  // Of all sources, one may be standard input; readers recognise it by this path.
  return { ...shard, source, path: shard.path === '-' ? '-' : `${source}/${shard.path}` }
}

/** A source whose fields are known. */
interface MappedSource {
  readonly source: RecipeSource
  readonly mapping: FieldMapping
  /** In the recipe. */
  readonly path: string
}

type Listing = (source: MappedSource, connections: SourceConnections) => Promise<readonly Shard[]>

/** Lists the shards of each kind of source. */
const listings: Readonly<Record<ReturnType<typeof kindOf>, Listing>> = {
  run: ({ source: { run = '', files, split }, mapping }) => runShards({ run, files, split, mapping }),
  hub: async ({ source, mapping, path }, connections) => {
    const { hub: repo = '', split, files, revision, cache } = source
    const token = source.token === undefined ? undefined : resolveSecret(source.token, `${path}.token`)
    const transport = connections.of(token)
    const { shards } = await hubShards({ repo, split, files, mapping, revision, cache, token, transport })
    return shards
  },
  bucket: async ({ source: { files, split }, mapping }, connections) => {
    const { shards } = await s3Shards({ files, split, mapping, transport: connections.bucket(bucketOf(files)) })
    return shards
  },
  stdin: async ({ source: { split }, mapping }) => [stdinShard({ split, mapping, input: process.stdin })],
  local: ({ source: { files, split }, mapping }) => localShards({ split, root: process.cwd(), files, mapping }),
}

function kindOf({ run, hub, files }: RecipeSource): 'run' | 'hub' | 'bucket' | 'stdin' | 'local' {
  if (run !== undefined) return 'run'
  if (hub !== undefined) return 'hub'
  if (files.some(isS3Glob)) return 'bucket'
  return files.length === 1 && files[0] === '-' ? 'stdin' : 'local'
}

/** The fields of the preset, or of a run, overridden by those of the source, with the bounds of its filters. */
function mappingOf(source: RecipeSource): FieldMapping {
  const { preset, kind, quality } = source
  const bounds = boundsOf(preset, kind, quality as Partial<QualityOptions> | undefined)
  return { ...fieldsOf(source), ...(bounds !== undefined && { quality: bounds }) }
}

function fieldsOf({ preset, run, text, id, title }: RecipeSource): FieldMapping {
  if (run !== undefined) return { text: text ?? 'raw', id: id ?? 'id', title: title ?? 'title' }
  const base = preset === undefined ? { text: text ?? 'text' } : presets[preset]
  return {
    ...base,
    ...(text !== undefined && { text }),
    ...(id !== undefined && { id }),
    ...(title !== undefined && { title }),
  }
}

/** The first records of a source. */
interface SourceCheck {
  /** Index in `sources`. */
  readonly index: number
  readonly shards: readonly Shard[]
  readonly looked: readonly FirstRecords[]
  /** Path in the recipe, what is wrong, and what to do; null if a text was found, or cannot be looked for. */
  readonly problem: string | null
}

/** Looks at the first records of every source, until one has a text. */
export async function checkSources(
  sources: Recipe['sources'],
  all: readonly Shard[],
  signal?: AbortSignal,
): Promise<SourceCheck[]> {
  const checks: SourceCheck[] = []
  for (const [index, { split, name }] of sources.entries()) {
    const shards = all.filter((shard) => shard.split === split && shard.source === name)
    const looked = await firstRecords(shards, { untilText: true, ...(signal && { signal }) })
    checks.push({ index, shards, looked, problem: problemOf(index, shards, looked) })
  }
  return checks
}

/**
 * Checks the sources of a run that starts; `sameEndingRecords: false` disables it, as the same check during the run.
 *
 * @throws {RecipeError} no record that was looked at has a text
 */
export async function mustHaveTexts(
  { brakes, sources }: Pick<Recipe, 'sources' | 'brakes'>,
  shards: readonly Shard[],
  signal?: AbortSignal,
): Promise<void> {
  if (brakes === false || brakes.sameEndingRecords === false) return
  const wrong = (await checkSources(sources, shards, signal)).flatMap(({ problem }) =>
    problem === null ? [] : [problem],
  )
  if (wrong.length > 0) throw new RecipeError(wrong.join('\n'))
}

function problemOf(index: number, shards: readonly Shard[], looked: readonly FirstRecords[]): string | null {
  // Standard input can be read once: by the run.
  if (looked.some(({ texts }) => texts > 0) || shards.some(({ sizeBytes }) => sizeBytes === null)) return null
  const at = `sources[${index}]`
  const [first] = looked
  if (first === undefined) {
    const rejected = shards.find(({ reject }) => reject != null)
    const why = rejected?.reject ?? { reason: 'shard-empty', detail: '' }
    return say`${at}.files: no file can be read: ${rejected?.path ?? ''}: ${why.reason}, ${why.detail}; check the path and the files`
  }
  const [fault] = first.faults
  const { reason, detail } = fault ?? { reason: 'shard-empty', detail: '' }
  const seen = looked.reduce((sum, each) => sum + each.seen, 0)
  if (reason !== 'no-text' && reason !== 'shard-columns') {
    return say`${at}.files: none of the first ${count(seen, 'record')} can be read: ${first.path}: ${reason}, ${detail}; check the format of the file`
  }
  const found = proposeFields(looked.flatMap(({ records }) => records)).texts[0]?.name
  const records = count(seen, 'record')
  return found === undefined
    ? say`${at}.text: none of the first ${records} has a text: ${first.path}: ${detail}; name the field of the text`
    : say`${at}.text: none of the first ${records} has a text: ${first.path}: ${detail}; the longest text is in ${found}: set text: ${found}`
}

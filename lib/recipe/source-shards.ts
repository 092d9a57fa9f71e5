/** Lists the shards of a recipe's sources: of the Hub, of buckets, of local files, of standard input, and of earlier runs. */

import { SourceNotFoundError } from '../errors.js'
import { hubSettings } from '../hub/settings.js'
import { type HubTransport, type HubTransportOptions, hubTransport } from '../hub/transport.js'
import { s3Settings } from '../objects/s3/settings.js'
import { S3Transport } from '../objects/s3/transport.js'
import { hubShards } from '../sources/hub-shards.js'
import { boundsOf, localShards, presets, type Shard, stdinShard } from '../sources/index.js'
import { bucketOf, isS3Glob, s3Shards } from '../sources/s3-shards.js'
import type { FieldMapping } from '../text/mapping.js'
import type { QualityOptions } from '../text/quality-options.js'
import { runShards } from './run-shards.js'
import type { RecipeSource } from './schema.js'
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
    const transport = this.#buckets.get(name) ?? new S3Transport(name, s3Settings(), { renewed: s3Settings })
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

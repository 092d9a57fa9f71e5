/** Lists the shards of a recipe's sources: of the Hub, of buckets, of local files, of standard input, and of earlier runs. */

import { SourceNotFoundError } from '../errors.js'
import { hubSettings } from '../hub/settings.js'
import { type HubTransport, type HubTransportOptions, hubTransport } from '../hub/transport.js'
import { s3Settings } from '../objects/s3/settings.js'
import { S3Transport } from '../objects/s3/transport.js'
import { hubShards } from '../sources/hub-shards.js'
import { boundsOf, localShards, presets, type Shard, stdinShard } from '../sources/index.js'
import { bucketOf, isS3Glob, s3Shards } from '../sources/s3-shards.js'
import type { QualityOptions } from '../text/filters.js'
import type { FieldMapping } from '../text/mapping.js'
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
    const listed = await shardsOf(source, connections, path).catch((error: unknown) => {
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

async function shardsOf(source: RecipeSource, connections: SourceConnections, path: string): Promise<readonly Shard[]> {
  const { split, files } = source
  const mapping = mappingOf(source)
  if (source.run !== undefined) return runShards({ run: source.run, files, split, mapping })
  if (source.hub !== undefined) {
    const token = source.token === undefined ? undefined : resolveSecret(source.token, `${path}.token`)
    const { revision, cache } = source
    const transport = connections.of(token)
    const { shards } = await hubShards({ repo: source.hub, split, files, mapping, revision, cache, token, transport })
    return shards
  }
  if (files.some(isS3Glob)) {
    const { shards } = await s3Shards({ files, split, mapping, transport: connections.bucket(bucketOf(files)) })
    return shards
  }
  if (files.length === 1 && files[0] === '-') return [stdinShard({ split, mapping, input: process.stdin })]
  return localShards({ split, root: process.cwd(), files, mapping })
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

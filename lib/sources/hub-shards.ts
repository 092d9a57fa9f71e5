/** Shards of a dataset on the Hub: the files that globs match, at one commit. */
import { cachedFile } from '../hub/cache.js'
import { contextOf } from '../hub/context.js'
import { HubFile } from '../hub/file.js'
import { listDataset } from '../hub/listing.js'
import { hubSettings } from '../hub/settings.js'
import { type HubTransport, hubTransport } from '../hub/transport.js'
import type { FieldMapping } from '../text/mapping.js'
import type { Shard } from './shard.js'

/** Options for `hubShards`. */
export interface HubShardsOptions {
  /** `owner/name` of a dataset. */
  readonly repo: string
  readonly revision?: string | undefined
  /** Globs on paths in the repository; one that begins with `!` excludes files. */
  readonly files: string | readonly string[]
  readonly split: string
  readonly mapping: FieldMapping
  readonly token?: string | undefined
  readonly hubUrl?: string | undefined
  /** Directory that keeps whole shards; none by default: nothing is written to disk. */
  readonly cache?: string | undefined
  /** A transport that the caller closes; an own one by default. */
  readonly transport?: HubTransport | undefined
}

/** Shards on the Hub, and the transport that reads them. */
export interface HubShards {
  /** Commit of `revision` when it was listed: 40 hexadecimal digits. */
  readonly commit: string
  /** Sorted by path, by code unit. */
  readonly shards: readonly Shard[]
  /** Closes the transport, unless it was given. */
  close(): Promise<void>
}

/**
 * Lists the shards of a source on the Hub.
 *
 * @throws {SourceNotFoundError} no file matches the globs
 * @throws {HubAccessError} repository, revision or token: the message says what to do
 */
export async function hubShards(options: HubShardsOptions): Promise<HubShards> {
  const { repo, split, mapping, cache } = options
  const settings = hubSettings(options)
  const transport = options.transport ?? hubTransport(settings)
  const listed = await listDataset({ ...options, settings, transport })
  const context = contextOf(settings, repo, options.revision)
  const shards = listed.files.map((file): Shard => {
    const remote = new HubFile({ transport, context, token: settings.token, commit: listed.commit, file })
    const readable = cache === undefined ? remote : cachedFile(remote, cache, repo, file.sha256)
    const { path, sizeBytes, version } = readable
    return {
      split,
      mapping,
      path,
      sizeBytes,
      version,
      open: (offset, signal) => readable.open(offset, signal),
      read: (offset, lengthBytes, signal) => readable.read(offset, lengthBytes, signal),
    }
  })
  const close = async () => {
    if (options.transport === undefined) await transport.close()
  }
  return { commit: listed.commit, shards, close }
}

/** Shards of a dataset on the Hub: which files a glob means, at one commit. Reading them is in hub-shard.ts. */
import { listFiles } from '@huggingface/hub'
import picomatch from 'picomatch'
import { SourceNotFoundError } from '../errors.js'
import { cachedFile } from '../hub/cache.js'
import { authorization, contextOf, credentials } from '../hub/context.js'
import { type HubRequestContext, hubProblem } from '../hub/errors.js'
import { type HubTransport, hubTransport } from '../hub/fetch.js'
import { HubFile, type HubFileEntry } from '../hub/file.js'
import { type HubSettings, hubSettings, mustBeRepo } from '../hub/settings.js'
import type { FieldMapping } from '../text/mapping.js'
import type { Shard } from './types.js'

/** Which files of which dataset are read, and as what split. */
export interface HubShardsOptions {
  /** `owner/name` of a dataset. */
  readonly repo: string
  readonly revision?: string | undefined
  /** Globs on paths in the repository; one that begins with `!` takes out. */
  readonly files: string | readonly string[]
  readonly split: string
  readonly mapping: FieldMapping
  readonly token?: string | undefined
  readonly hubUrl?: string | undefined
  /** Folder that keeps whole shards; none by default: nothing touches the disk. */
  readonly cache?: string | undefined
  /** Connections shared with others; its owner closes it. */
  readonly transport?: HubTransport | undefined
}

/** Shards on the Hub, and the connections that read them. */
export interface HubShards {
  /** The commit that `revision` was: 40 hexadecimal digits. */
  readonly commit: string
  /** Sorted by path, by code unit. */
  readonly shards: readonly Shard[]
  /** Closes the connections, unless they are shared. */
  close(): Promise<void>
}

/**
 * Lists what a source on the Hub reads.
 *
 * @throws {SourceNotFoundError} no file fits the globs
 * @throws {HubAccessError} repository, revision or token: the message says what to do
 */
export async function hubShards(options: HubShardsOptions): Promise<HubShards> {
  const { repo, split, mapping, cache } = options
  const settings = hubSettings(options)
  const transport = options.transport ?? hubTransport(settings)
  const listed = await listHub({ ...options, settings, transport })
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

/** Files of a repository at one commit. */
export interface HubListing {
  readonly commit: string
  readonly files: readonly HubFileEntry[]
}

/** Files of a dataset that fit one of the globs, at the commit that the revision is now. */
export async function listHub(options: {
  readonly repo: string
  readonly revision?: string | undefined
  readonly files: string | readonly string[]
  readonly settings: HubSettings
  readonly transport: HubTransport
}): Promise<HubListing> {
  const { repo, revision = 'main', settings, transport } = options
  const globs = typeof options.files === 'string' ? [options.files] : options.files
  const wanted = globs.filter((glob) => !glob.startsWith('!'))
  const ignore = globs.flatMap((glob) => (glob.startsWith('!') ? [glob.slice(1)] : []))
  const matches = picomatch(wanted, { ignore })
  const context = contextOf(settings, mustBeRepo(repo), revision)
  const commit = await resolveCommit(context, settings, transport)
  const found: HubFileEntry[] = []
  let seen = 0
  try {
    const client = { hubUrl: settings.url, fetch: transport.fetch, ...credentials(settings) }
    for await (const entry of listFiles({ ...client, repo: `datasets/${repo}`, recursive: true, revision: commit })) {
      if (entry.type !== 'file') continue
      seen++
      if (!matches(entry.path)) continue
      const { path, size, lfs, oid = '' } = entry
      found.push({ path, sizeBytes: lfs?.size ?? size, sha256: lfs?.oid ?? null, oid })
    }
  } catch (error) {
    throw hubProblem(error, context)
  }
  if (found.length === 0) {
    throw new SourceNotFoundError(
      `No file of ${repo} at ${revision} fits ${globs.join(' or ')}, of ${seen} there: kun-stream hub ls ${repo} lists them`,
    )
  }
  found.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
  return { commit, files: found }
}

async function resolveCommit(
  context: HubRequestContext,
  settings: HubSettings,
  transport: HubTransport,
): Promise<string> {
  const { repo, revision = 'main' } = context
  const url = `${settings.url}/api/datasets/${repo}/revision/${encodeURIComponent(revision)}`
  const answer = await transport.request(url, { headers: authorization(settings) })
  const said = (await answer.body.text()) || '{}'
  if (answer.status !== 200) {
    const message = answer.headers['x-error-message'] ?? said.slice(0, 200)
    throw hubProblem(
      Object.assign(new Error(message), {
        statusCode: answer.status,
        data: { error: message, errorCode: answer.headers['x-error-code'] },
      }),
      context,
    )
  }
  return (JSON.parse(said) as { sha: string }).sha
}

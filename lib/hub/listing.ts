/** Lists the files of a dataset on the Hub: the commit of a revision, and the files of a commit. */
import picomatch from 'picomatch'
import { z } from 'zod'
import { SourceNotFoundError } from '../errors.js'
import { say } from '../language/say.js'
import { authorization, contextOf, credentials } from './context.js'
import { type HubRequestContext, hubErrorOf } from './errors.js'
import type { HubFileEntry } from './file.js'
import { parseJson, responseError } from './response.js'
import { type HubSettings, parseRepo } from './settings.js'
import type { HubTransport } from './transport.js'

/** Files of a dataset at one commit. */
export interface HubListing {
  readonly commit: string
  readonly files: readonly HubFileEntry[]
}

/** Options for `listDataset`. */
interface ListDatasetOptions {
  readonly repo: string
  /** Branch, tag or commit; `main` by default. */
  readonly revision?: string | undefined
  /** Globs on paths in the repository; one that begins with `!` excludes files. */
  readonly files: string | readonly string[]
  readonly settings: HubSettings
  readonly transport: HubTransport
}

/**
 * Lists the files that match one of the globs, at the current commit of the revision, sorted by path.
 *
 * @throws {SourceNotFoundError} no file matches
 * @throws {HubAccessError} repository, revision or token: the message says what to do
 */
export async function listDataset(options: ListDatasetOptions): Promise<HubListing> {
  const { repo, revision = 'main', settings, transport } = options
  const globs = typeof options.files === 'string' ? [options.files] : options.files
  const included = globs.filter((glob) => !glob.startsWith('!'))
  const ignore = globs.flatMap((glob) => (glob.startsWith('!') ? [glob.slice(1)] : []))
  const matches = picomatch(included, { ignore })
  const context = contextOf(settings, parseRepo(repo), revision)
  const commit = await commitOf(context, settings, transport)
  const all = await listCommit(context, settings, transport, commit)
  const files = all.filter(({ path }) => matches(path))
  if (files.length === 0) {
    throw new SourceNotFoundError(
      say`no file of ${repo} at ${revision} matches ${globs.join(' or ')} (of ${all.length} listed):
        kun-stream hub ls ${repo} shows them`,
    )
  }
  files.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
  return { commit, files }
}

/** Returns all files of a commit, in the order of the Hub. */
export async function listCommit(
  context: HubRequestContext,
  settings: HubSettings,
  transport: HubTransport,
  revision: string,
): Promise<HubFileEntry[]> {
  const client = { hubUrl: settings.url, fetch: transport.fetch, ...credentials(settings) }
  const files: HubFileEntry[] = []
  try {
    const { listFiles } = await import('@huggingface/hub')
    const listing = listFiles({ ...client, repo: `datasets/${context.repo}`, recursive: true, revision })
    for await (const { type, path, size, lfs, oid = '' } of listing) {
      if (type === 'file') files.push({ path, sizeBytes: lfs?.size ?? size, sha256: lfs?.oid ?? null, oid })
    }
  } catch (error) {
    throw hubErrorOf(error, context)
  }
  return files
}

const revisionInformation = z.object({ sha: z.string().regex(/^[0-9a-f]{40}$/) })

async function commitOf(context: HubRequestContext, settings: HubSettings, transport: HubTransport): Promise<string> {
  const { repo, revision = 'main' } = context
  const url = `${settings.url}/api/datasets/${repo}/revision/${encodeURIComponent(revision)}`
  const response = await transport.request(url, { headers: authorization(settings) })
  const text = await response.body.text()
  if (response.status !== 200) throw responseError(response, text, context)
  return parseJson(revisionInformation, text, url).sha
}

/**
 * A dataset on the Hub that is written to: its branches and files, and commits on a known parent. Uploads are in
 * upload.ts. The `commit` of @huggingface/hub is not used: it hashes every file again and needs all files on disk.
 */
import { z } from 'zod'
import { HubAccessError } from '../errors.js'
import type { Sliceable } from '../http/request-body.js'
import { say } from '../language/say.js'
import { authorization, contextOf, credentials } from './context.js'
import { type HubRequestContext, hubErrorOf } from './errors.js'
import { HubFile, type HubFileEntry } from './file.js'
import { listCommit } from './listing.js'
import type { HubRequest } from './request.js'
import { parseJson, responseError } from './response.js'
import type { HubSettings } from './settings.js'
import type { HubTransport } from './transport.js'
import { uploadContent } from './upload.js'

/** One operation of a commit. A large file must be uploaded first. */
export type Operation =
  | { readonly kind: 'large'; readonly path: string; readonly sha256: string; readonly bytes: number }
  | { readonly kind: 'small'; readonly path: string; readonly content: string }
  | { readonly kind: 'delete'; readonly path: string }

interface Commit {
  readonly commit: string
  readonly url: string
  /** URL of the pull request that the commit has opened. */
  readonly pullRequest: string | null
}

/** The result of a commit whose parent is no longer the head of the branch: read the head again. */
export const branchMoved = Symbol('the branch has moved')

/** For reads that nothing aborts. */
export const neverAborted: AbortSignal = new AbortController().signal

/** Fields of the Hub's responses that are used. */
const revisionResponse = z.object({ sha: z.string() })
const discussionResponse = z.object({ status: z.string().optional() })
const commitResponse = z.object({
  commitOid: z.string(),
  commitUrl: z.string(),
  pullRequestUrl: z.string().optional(),
})

export class HubDataset {
  readonly repo: string
  readonly context: HubRequestContext
  readonly #settings: HubSettings
  readonly #transport: HubTransport
  readonly #signal: AbortSignal | undefined
  readonly #client: { hubUrl: string; fetch: typeof fetch; accessToken?: string }

  constructor(repo: string, settings: HubSettings, transport: HubTransport, signal: AbortSignal | undefined) {
    this.repo = repo
    this.context = { ...contextOf(settings, repo), writes: true }
    this.#settings = settings
    this.#transport = transport
    this.#signal = signal
    this.#client = { hubUrl: settings.url, fetch: transport.fetch, ...credentials(settings) }
  }

  get clock(): HubTransport['clock'] {
    return this.#transport.clock
  }

  /** @throws {HubAccessError} there is no token, or it cannot write */
  async checkWriteAccess(): Promise<void> {
    const { tokenFrom, tokenWithheld, url } = this.#settings
    const { accessToken } = this.#client
    if (accessToken === undefined) {
      const why = tokenWithheld === null ? '' : `. The one from ${tokenFrom} is not sent to ${url}: ${tokenWithheld}`
      throw new HubAccessError(
        say`publishing needs a token with the role "write": export HF_TOKEN=hf_… from
          ${url}/settings/tokens${why}`,
      )
    }
    const { whoAmI } = await import('@huggingface/hub')
    const user = await this.#converted(() => whoAmI({ ...this.#client, accessToken }))
    if (user.auth.accessToken?.role === 'read') {
      throw new HubAccessError(
        say`the token from ${tokenFrom} (${user.name}) can only read: create one with the role "write" on
          ${url}/settings/tokens`,
      )
    }
  }

  /** Returns whether a pull request accepts commits: it was neither merged nor closed, as far as the Hub reports. */
  async isOpen(pullRequestRef: string): Promise<boolean> {
    const url = `${this.#api}/discussions/${pullRequestRef.slice('refs/pr/'.length)}`
    const { response, text } = await this.#request(url)
    if (response.status !== 200) return true
    const { status } = parseJson(discussionResponse, text, url)
    return status !== 'merged' && status !== 'closed'
  }

  /** Returns the last commit of the branch; null if the repository or the branch does not exist. */
  async head(branch: string): Promise<string | null> {
    const url = `${this.#api}/revision/${encodeURIComponent(branch)}`
    const { response, text } = await this.#request(url)
    if (response.status === 200) return parseJson(revisionResponse, text, url).sha
    const errorCode = response.headers['x-error-code']
    if (errorCode === 'RepoNotFound' || errorCode === 'RevisionNotFound') return null
    throw responseError(response, text, this.context)
  }

  /** Creates the repository; does nothing if it exists. */
  async create(isPrivate: boolean | undefined): Promise<void> {
    const { accessToken = '' } = this.#client
    const visibility =
      isPrivate === undefined ? {} : { visibility: isPrivate ? ('private' as const) : ('public' as const) }
    const { createRepo } = await import('@huggingface/hub')
    await this.#unlessExists(() =>
      createRepo({ ...this.#client, accessToken, repo: `datasets/${this.repo}`, ...visibility }),
    )
  }

  /** Creates a branch on the head of `main`; does nothing if it exists. */
  async createBranch(branch: string): Promise<void> {
    const { createBranch } = await import('@huggingface/hub')
    await this.#unlessExists(() => createBranch({ ...this.#client, repo: `datasets/${this.repo}`, branch }))
  }

  /** Returns the files of a revision, by path. */
  async list(revision: string): Promise<Map<string, HubFileEntry>> {
    const files = await listCommit(this.context, this.#settings, this.#transport, revision)
    return new Map(files.map((file) => [file.path, file]))
  }

  /** Yields the content of a large file; checks its sha256. */
  open(commit: string, file: HubFileEntry): AsyncIterable<Uint8Array> {
    return this.file(commit, file).open(0, this.#signal ?? neverAborted)
  }

  /** Returns a file at a commit, for reading by range. */
  file(commit: string, file: HubFileEntry): HubFile {
    const { context } = this
    return new HubFile({ context, transport: this.#transport, token: this.#settings.token, commit, file })
  }

  /** Returns the text of a small file. */
  async text(revision: string, path: string): Promise<string> {
    const url = `${this.#settings.url}/datasets/${this.repo}/resolve/${revision}/${path}`
    const { response, text } = await this.#request(url)
    if (response.status !== 200) throw responseError(response, text, this.context)
    return text
  }

  /** Uploads content to the store of large files; returns false if the store has it already. */
  upload(content: Sliceable, sha256: string, onSent?: (bytes: number) => void): Promise<boolean> {
    const { repo, context } = this
    const target = { repo, context, settings: this.#settings, transport: this.#transport, signal: this.#signal }
    return uploadContent(target, content, sha256, onSent)
  }

  /** Commits on `parent`; returns `moved` if that is no longer the head of the branch. */
  async commit(
    branch: string,
    parent: string,
    title: string,
    operations: readonly Operation[],
    pullRequest: boolean,
  ): Promise<Commit | typeof branchMoved> {
    const lines = [{ key: 'header', value: { summary: title, parentCommit: parent } }, ...operations.map(lineOf)]
    const url = `${this.#api}/commit/${encodeURIComponent(branch)}${pullRequest ? '?create_pr=1' : ''}`
    const { response, text } = await this.#request(url, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: lines.map((line) => JSON.stringify(line)).join('\n'),
      // Repeated after a lost response, this would open a second pull request. On a branch, the parent prevents a repetition.
      repeatable: !pullRequest,
    })
    if (response.status === 412 || response.status === 409) return branchMoved
    if (response.status >= 300) throw responseError(response, text, this.context)
    const { commitOid, commitUrl, pullRequestUrl } = parseJson(commitResponse, text, url)
    return { commit: commitOid, url: commitUrl, pullRequest: pullRequestUrl ?? null }
  }

  async #request(url: string, request: HubRequest = {}) {
    const headers = { ...authorization(this.#settings), ...request.headers }
    const response = await this.#transport.request(url, { ...request, headers, signal: this.#signal })
    return { response, text: await response.body.text() }
  }

  /** 409: it exists, created by another process or by a try whose response was lost. */
  async #unlessExists(create: () => Promise<unknown>): Promise<void> {
    try {
      await create()
    } catch (error) {
      if (!(error instanceof Error && 'statusCode' in error && error.statusCode === 409))
        throw hubErrorOf(error, this.context)
    }
  }

  async #converted<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await call()
    } catch (error) {
      throw hubErrorOf(error, this.context)
    }
  }

  get #api(): string {
    return `${this.#settings.url}/api/datasets/${this.repo}`
  }
}

/** A line of the body of a commit request. */
function lineOf(operation: Operation): object {
  const { path } = operation
  if (operation.kind === 'delete') return { key: 'deletedFile', value: { path } }
  if (operation.kind === 'large') {
    return { key: 'lfsFile', value: { path, algo: 'sha256', oid: operation.sha256, size: operation.bytes } }
  }
  const content = Buffer.from(operation.content).toString('base64')
  return { key: 'file', value: { path, content, encoding: 'base64' } }
}

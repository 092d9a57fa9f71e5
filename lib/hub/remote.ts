/**
 * One branch of a dataset on the Hub, as the publisher needs it: its files, commits on a known parent. Uploads are in upload.ts.
 * The client library's commit hashes every file again and wants all of a commit's files on disk at once: hence our own.
 */

import { createBranch, createRepo, listFiles, whoAmI } from '@huggingface/hub'
import { HubAccessError } from '../errors.js'
import type { Sliceable } from './body.js'
import { authorization, contextOf, credentials } from './context.js'
import { type HubRequestContext, hubProblem } from './errors.js'
import type { HubTransport } from './fetch.js'
import { HubFile } from './file.js'
import type { HubResponse } from './request.js'
import type { HubSettings } from './settings.js'
import { refusedAnswer, uploadContent } from './upload.js'

export interface RemoteFile {
  readonly path: string
  readonly bytes: number
  /** Null for files that are kept in Git. */
  readonly sha256: string | null
  /** Git's name of the content, or of the pointer. */
  readonly oid: string
}

export type Operation =
  | { readonly kind: 'large'; readonly path: string; readonly sha256: string; readonly bytes: number }
  | { readonly kind: 'small'; readonly path: string; readonly content: string }
  | { readonly kind: 'delete'; readonly path: string }

export interface Committed {
  readonly commit: string
  readonly url: string
  readonly pullRequest: string | null
}

const never = new AbortController().signal

/** Another commit came in between: read the head again. */
export const moved = Symbol('the branch has moved')

export class Remote {
  readonly #client: { hubUrl: string; fetch: typeof fetch; accessToken?: string }
  readonly context: HubRequestContext
  readonly #settings: HubSettings
  readonly #transport: HubTransport
  readonly #signal: AbortSignal | undefined

  constructor(
    readonly repo: string,
    settings: HubSettings,
    transport: HubTransport,
    signal: AbortSignal | undefined,
  ) {
    this.#settings = settings
    this.#transport = transport
    this.#signal = signal
    this.#client = { hubUrl: settings.url, fetch: transport.fetch, ...credentials(settings) }
    this.context = { ...contextOf(settings, repo), writes: true }
  }

  get clock(): HubTransport['clock'] {
    return this.#transport.clock
  }

  /** Refuses a token that cannot write before anything is read or sent. */
  async mustWrite(): Promise<void> {
    const { tokenFrom, tokenWithheld, url } = this.#settings
    const { accessToken } = this.#client
    if (accessToken === undefined) {
      const why = tokenWithheld === null ? '' : `. The one from ${tokenFrom} is not sent to ${url}: ${tokenWithheld}`
      throw new HubAccessError(
        `Publishing needs a token that may write: export HF_TOKEN=hf_… from ${url}/settings/tokens${why}`,
      )
    }
    const me = await this.#asked(() => whoAmI({ ...this.#client, accessToken }))
    if (me.auth.accessToken?.role === 'read') {
      throw new HubAccessError(
        `The token from ${tokenFrom} (${me.name}) may only read: make one with the role "write" on ${url}/settings/tokens`,
      )
    }
  }

  /** A pull request that was merged or closed takes no more commits. A Hub that does not say so leaves it open. */
  async isOpen(pullRequestRef: string): Promise<boolean> {
    const url = `${this.#api}/discussions/${pullRequestRef.slice('refs/pr/'.length)}`
    const answer = await this.#transport.request(url, { headers: authorization(this.#settings), signal: this.#signal })
    const text = await answer.body.text()
    if (answer.status !== 200) return true
    const { status } = JSON.parse(text) as { status?: string }
    return status !== 'merged' && status !== 'closed'
  }

  /** The commit at the end of the branch; null when there is no such repository, or branch. */
  async head(branch: string): Promise<string | null> {
    const url = `${this.#api}/revision/${encodeURIComponent(branch)}`
    const answer = await this.#transport.request(url, { headers: authorization(this.#settings), signal: this.#signal })
    const text = await answer.body.text()
    if (answer.status === 200) return (JSON.parse(text) as { sha: string }).sha
    const missing = answer.headers['x-error-code']
    if (missing === 'RepoNotFound' || missing === 'RevisionNotFound') return null
    throw this.#refused(answer, text)
  }

  async create(isPrivate: boolean | undefined): Promise<void> {
    const accessToken = this.#client.accessToken as string
    try {
      await createRepo({
        ...this.#client,
        accessToken,
        repo: `datasets/${this.repo}`,
        ...(isPrivate === undefined ? {} : { visibility: isPrivate ? 'private' : 'public' }),
      })
    } catch (error) {
      // 409: it is there, by another process or by a try whose answer was lost.
      if ((error as { statusCode?: number }).statusCode !== 409) throw hubProblem(error, this.context)
    }
  }

  async createBranch(branch: string): Promise<void> {
    try {
      await createBranch({ ...this.#client, repo: `datasets/${this.repo}`, branch })
    } catch (error) {
      if ((error as { statusCode?: number }).statusCode !== 409) throw hubProblem(error, this.context)
    }
  }

  async list(revision: string): Promise<Map<string, RemoteFile>> {
    const files = new Map<string, RemoteFile>()
    await this.#asked(async () => {
      const listing = listFiles({ ...this.#client, repo: `datasets/${this.repo}`, recursive: true, revision })
      for await (const { type, path, size, lfs, oid = '' } of listing) {
        if (type === 'file') files.set(path, { path, bytes: lfs?.size ?? size, sha256: lfs?.oid ?? null, oid })
      }
    })
    return files
  }

  /** The content of a large file, from its start, checked against its sha256. */
  open(commit: string, file: RemoteFile): AsyncIterable<Uint8Array> {
    return this.file(commit, file).open(0, this.#signal ?? never)
  }

  /** A file at a commit, to be read by range. */
  file(commit: string, { path, bytes, sha256, oid }: RemoteFile): HubFile {
    const file = { path, sizeBytes: bytes, sha256, oid }
    const { context } = this
    return new HubFile({ context, transport: this.#transport, token: this.#settings.token, commit, file })
  }

  /** A small file as text, at a commit. */
  async text(revision: string, path: string): Promise<string> {
    const url = `${this.#settings.url}/datasets/${this.repo}/resolve/${revision}/${path}`
    const answer = await this.#transport.request(url, { headers: authorization(this.#settings), signal: this.#signal })
    const text = await answer.body.text()
    if (answer.status !== 200) throw this.#refused(answer, text)
    return text
  }

  /** Puts a content into the store of large files; false when it was there. */
  upload(content: Sliceable, sha256: string, onSent?: (bytes: number) => void): Promise<boolean> {
    const { repo, context } = this
    const place = { repo, context, settings: this.#settings, transport: this.#transport, signal: this.#signal }
    return uploadContent(place, content, sha256, onSent)
  }

  /** Commits on `parent`; `moved` when that is no longer the head. */
  async commit(
    branch: string,
    parent: string,
    title: string,
    operations: readonly Operation[],
    pullRequest: boolean,
  ): Promise<Committed | typeof moved> {
    const lines = [{ key: 'header', value: { summary: title, parentCommit: parent } }, ...operations.map(lineOf)]
    const url = `${this.#api}/commit/${encodeURIComponent(branch)}${pullRequest ? '?create_pr=1' : ''}`
    const answer = await this.#transport.request(url, {
      method: 'POST',
      headers: { ...authorization(this.#settings), 'content-type': 'application/x-ndjson' },
      body: lines.map((line) => JSON.stringify(line)).join('\n'),
      // A pull request whose answer was lost would be opened twice; on a branch the parent says that it was done.
      repeatable: !pullRequest,
      signal: this.#signal,
    })
    const text = await answer.body.text()
    if (answer.status === 412 || answer.status === 409) return moved
    if (answer.status >= 300) throw this.#refused(answer, text)
    const said = JSON.parse(text) as { commitOid: string; commitUrl: string; pullRequestUrl?: string }
    return { commit: said.commitOid, url: said.commitUrl, pullRequest: said.pullRequestUrl ?? null }
  }

  async #asked<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await call()
    } catch (error) {
      throw hubProblem(error, this.context)
    }
  }

  #refused(answer: HubResponse, text: string): Error {
    return refusedAnswer(answer, text, this.context)
  }

  get #api(): string {
    return `${this.#settings.url}/api/datasets/${this.repo}`
  }
}

function lineOf(operation: Operation): object {
  const { path } = operation
  if (operation.kind === 'delete') return { key: 'deletedFile', value: { path } }
  if (operation.kind === 'large') {
    return { key: 'lfsFile', value: { path, algo: 'sha256', oid: operation.sha256, size: operation.bytes } }
  }
  const content = Buffer.from(operation.content).toString('base64')
  return { key: 'file', value: { path, content, encoding: 'base64' } }
}

/**
 * One branch of a dataset on the Hub, as the publisher needs it: its files, uploads by LFS, commits on a known parent.
 * The client library's commit hashes every file again and wants all of a commit's files on disk at once: hence our own.
 */
import { createBranch, createRepo, listFiles, whoAmI } from '@huggingface/hub'
import { parquetMetadataAsync } from 'hyparquet'
import { HubAccessError } from '../errors.js'
import { authorization, contextOf, credentials } from '../sources/hub.js'
import type { Sliceable } from '../sources/hub-body.js'
import { type HubRequestContext, hubProblem, hubRefusal } from '../sources/hub-errors.js'
import type { HubTransport } from '../sources/hub-fetch.js'
import type { HubResponse } from '../sources/hub-request.js'
import type { HubSettings } from '../sources/hub-settings.js'
import { HubShard } from '../sources/hub-shard.js'

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

  constructor(
    readonly repo: string,
    private readonly settings: HubSettings,
    private readonly transport: HubTransport,
    private readonly signal: AbortSignal | undefined,
  ) {
    this.#client = { hubUrl: settings.url, fetch: transport.fetch, ...credentials(settings) }
    this.context = { ...contextOf(settings, repo), writes: true }
  }

  get clock(): HubTransport['clock'] {
    return this.transport.clock
  }

  /** Refuses a token that cannot write before anything is read or sent. */
  async mustWrite(): Promise<void> {
    const { token, tokenFrom, url } = this.settings
    if (token === undefined) {
      throw new HubAccessError(
        `Publishing needs a token that may write: export HF_TOKEN=hf_… from ${url}/settings/tokens`,
      )
    }
    const me = await this.#asked(() => whoAmI({ ...this.#client, accessToken: token }))
    if (me.auth.accessToken?.role === 'read') {
      throw new HubAccessError(
        `The token from ${tokenFrom} (${me.name}) may only read: make one with the role "write" on ${url}/settings/tokens`,
      )
    }
  }

  /** The commit at the end of the branch; null when there is no such repository, or branch. */
  async head(branch: string): Promise<string | null> {
    const url = `${this.#api}/revision/${encodeURIComponent(branch)}`
    const answer = await this.transport.request(url, { headers: authorization(this.settings), signal: this.signal })
    const text = await answer.body.text()
    if (answer.status === 200) return (JSON.parse(text) as { sha: string }).sha
    const missing = answer.headers['x-error-code']
    if (missing === 'RepoNotFound' || missing === 'RevisionNotFound') return null
    throw this.#refused(answer, text)
  }

  async create(isPrivate: boolean | undefined): Promise<void> {
    const accessToken = this.settings.token as string
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
    return this.#shard(commit, file).open(0, this.signal ?? never)
  }

  /** Rows and uncompressed bytes of a Parquet file, from its footer alone. */
  async footer(commit: string, file: RemoteFile): Promise<{ rows: number; bytes: number }> {
    const shard = this.#shard(commit, file)
    const { bytes } = file
    const metadata = await parquetMetadataAsync({
      byteLength: bytes,
      slice: async (start, end = bytes) =>
        (await shard.read(start, end - start, this.signal ?? never)).buffer as ArrayBuffer,
    })
    const sizes = metadata.row_groups.map(({ total_byte_size }) => Number(total_byte_size))
    return { rows: Number(metadata.num_rows), bytes: sizes.reduce((sum, size) => sum + size, 0) }
  }

  #shard(commit: string, { path, bytes, sha256, oid }: RemoteFile): HubShard {
    const { context, transport, settings } = this
    const file = { path, sizeBytes: bytes, sha256, oid }
    return new HubShard({ context, transport, token: settings.token, split: '', mapping: { text: '' }, commit, file })
  }

  /** A small file as text, at a commit. */
  async text(revision: string, path: string): Promise<string> {
    const url = `${this.settings.url}/datasets/${this.repo}/resolve/${revision}/${path}`
    const answer = await this.transport.request(url, { headers: authorization(this.settings), signal: this.signal })
    const text = await answer.body.text()
    if (answer.status !== 200) throw this.#refused(answer, text)
    return text
  }

  /** Puts a content into the store of large files; false when it was there. */
  async upload(content: Sliceable, sha256: string, onSent?: (bytes: number) => void): Promise<boolean> {
    const action = await this.#uploadAction(sha256, content.size)
    if (action === null) return false
    if (action.header?.['chunk_size'] === undefined) {
      await this.#put(action.href, content, onSent)
      return true
    }
    await this.#uploadParts(action.href, action.header, sha256, content, onSent)
    return true
  }

  async #uploadAction(oid: string, size: number): Promise<{ href: string; header?: Record<string, string> } | null> {
    const answer = await this.#post(`${this.settings.url}/datasets/${this.repo}.git/info/lfs/objects/batch`, {
      operation: 'upload',
      transfers: ['basic', 'multipart'],
      hash_algo: 'sha_256',
      objects: [{ oid, size }],
    })
    const text = await answer.body.text()
    if (answer.status !== 200) throw this.#refused(answer, text, true)
    const [object] = (JSON.parse(text) as LfsBatch).objects
    if (object?.error !== undefined) {
      const { code: status, message } = object.error
      throw hubRefusal({ status, message }, { ...this.context, uploads: true })
    }
    return object?.actions?.upload ?? null
  }

  async #uploadParts(
    href: string,
    header: Record<string, string>,
    oid: string,
    content: Sliceable,
    onSent: ((bytes: number) => void) | undefined,
  ): Promise<void> {
    const partBytes = Number(header['chunk_size'])
    const parts: { partNumber: number; etag: string }[] = []
    const numbers = Object.keys(header)
      .filter((name) => /^\d+$/.test(name))
      .sort()
    for (const [index, number] of numbers.entries()) {
      const start = index * partBytes
      const slice = content.slice(start, start + partBytes)
      const answer = await this.#put(header[number] as string, slice, (bytes) => onSent?.(start + bytes))
      parts.push({ partNumber: Number(number), etag: answer.headers['etag'] ?? '' })
    }
    const answer = await this.#post(href, { oid, parts }, false)
    const text = await answer.body.text()
    if (answer.status >= 300) throw this.#refused(answer, text, true)
  }

  /** Signed by its address: the token is not sent. */
  async #put(url: string, body: Sliceable, onSent: ((bytes: number) => void) | undefined): Promise<HubResponse> {
    const answer = await this.transport.request(url, { method: 'PUT', body, onSent, signal: this.signal })
    const text = await answer.body.text()
    if (answer.status >= 300) throw this.#refused(answer, text, true)
    return answer
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
    const answer = await this.transport.request(url, {
      method: 'POST',
      headers: { ...authorization(this.settings), 'content-type': 'application/x-ndjson' },
      body: lines.map((line) => JSON.stringify(line)).join('\n'),
      // A pull request whose answer was lost would be opened twice; on a branch the parent says that it was done.
      repeatable: !pullRequest,
      signal: this.signal,
    })
    const text = await answer.body.text()
    if (answer.status === 412 || answer.status === 409) return moved
    if (answer.status >= 300) throw this.#refused(answer, text)
    const said = JSON.parse(text) as { commitOid: string; commitUrl: string; pullRequestUrl?: string }
    return { commit: said.commitOid, url: said.commitUrl, pullRequest: said.pullRequestUrl ?? null }
  }

  async #post(url: string, body: object, authorized = true): Promise<HubResponse> {
    const headers = {
      ...(authorized ? authorization(this.settings) : {}),
      accept: 'application/vnd.git-lfs+json',
      'content-type': 'application/vnd.git-lfs+json',
    }
    return this.transport.request(url, { method: 'POST', headers, body: JSON.stringify(body), signal: this.signal })
  }

  async #asked<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await call()
    } catch (error) {
      throw hubProblem(error, this.context)
    }
  }

  #refused(answer: HubResponse, text: string, uploads = false): Error {
    const errorCode = answer.headers['x-error-code']
    const message = answer.headers['x-error-message'] ?? text.slice(0, 300)
    return hubRefusal({ status: answer.status, errorCode, message }, { ...this.context, uploads })
  }

  get #api(): string {
    return `${this.settings.url}/api/datasets/${this.repo}`
  }
}

interface LfsBatch {
  readonly objects: readonly {
    readonly oid: string
    readonly actions?: { readonly upload?: { readonly href: string; readonly header?: Record<string, string> } }
    readonly error?: { readonly code: number; readonly message: string }
  }[]
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

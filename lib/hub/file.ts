/**
 * One file of a dataset on the Hub, read by range or as a stream that reconnects after a failure. Holds one chunk at a
 * time, and downloads only the bytes that are read. listing.ts lists files.
 */
import { HubUnavailableError, ShardChangedError, ShardDamageError } from '../errors.js'
import { readRange, resumedStream } from '../http/resumed-stream.js'
import { say } from '../language/say.js'
import type { RangedFile } from '../storage/ranged-file.js'
import { type HubRequestContext, hubResponseError } from './errors.js'
import { type HubResponse, shownUrl } from './request.js'
import { streamHash } from './stream-hash.js'
import type { HubTransport } from './transport.js'

/** A file as the Hub lists it. */
export interface HubFileEntry {
  readonly path: string
  readonly sizeBytes: number
  /** Null for small files, which are stored in Git. */
  readonly sha256: string | null
  /** Git's hash of the content, or of the LFS pointer. */
  readonly oid: string
}

interface HubFileOptions {
  readonly transport: HubTransport
  readonly context: HubRequestContext
  readonly token: string | undefined
  /** 40 hexadecimal digits. */
  readonly commit: string
  readonly file: HubFileEntry
}

interface OpenedRange {
  readonly response: HubResponse
  /** Bytes to discard before the requested range; null if the range was ignored and should be requested again. */
  readonly skipBytes: number | null
}

export class HubFile implements RangedFile {
  readonly path: string
  readonly sizeBytes: number
  readonly version: string
  readonly #options: HubFileOptions
  /** Signed URL on the file server; expires after some time. */
  #location: string | null = null
  #etag: string | null = null
  /** Content was received before: a later 404 is a failure of the Hub, not a missing file. */
  #reached = false

  constructor(options: HubFileOptions) {
    const { file, commit } = options
    this.#options = options
    this.path = file.path
    this.sizeBytes = file.sizeBytes
    this.version = `${commit} ${file.sha256 ?? file.oid}`
  }

  /**
   * Yields the bytes from `offset` to the end.
   *
   * @throws {ShardChangedError} size or ETag, or the sha256 if read from 0, differs from the listing
   * @throws {HubUnavailableError} the Hub is down
   * @throws {HubAccessError} access to the file is denied
   */
  open(offset: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const { sha256 } = this.#options.file
    if (offset !== 0 || sha256 === null) return this.#stream(offset, this.sizeBytes, signal)
    return this.#checked(sha256, signal)
  }

  /** Yields the whole file; compares its sha256 before it ends. */
  async *#checked(sha256: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const hash = streamHash({ sizeBytes: this.sizeBytes, signal })
    try {
      for await (const chunk of this.#stream(0, this.sizeBytes, signal)) {
        const taken = hash.update(chunk)
        if (taken !== null) await taken
        yield chunk
      }
      const found = await hash.digest()
      if (found === sha256) return
      throw new ShardChangedError(
        say`${this.#name} was received with sha256 ${found}, the Hub lists ${sha256}: a proxy or disk alters
          it. Discard everything derived from it, which may be committed in part, and delete the run to
          start over: \`run --fresh --force\` keeps the replies`,
      )
    } finally {
      await hash.close()
    }
  }

  read(offset: number, lengthBytes: number, signal: AbortSignal): Promise<Uint8Array> {
    return readRange(this.#name, this.sizeBytes, offset, lengthBytes, (end) => this.#stream(offset, end, signal))
  }

  #stream(start: number, end: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    return resumedStream({
      start,
      end,
      signal,
      open: async (at, insist) => {
        const { response, skipBytes } = await this.#open(at, end, insist, signal)
        return skipBytes === null ? null : { body: response.body, skipBytes }
      },
      backoff: (failures) => this.#options.transport.backoff(failures, signal),
      silent: (at, connections, failure) => this.#silent(at, end, connections, failure),
    })
  }

  /** Sends one ranged GET. With `insist`, a 200 in place of a 206 is discarded, so that the caller tries again. */
  async #open(at: number, end: number, insist: boolean, signal: AbortSignal): Promise<OpenedRange> {
    const response = await this.#getRange(`bytes=${at}-${end - 1}`, signal)
    const { status, headers } = response
    if (status === 206) {
      const match = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(headers['content-range'] ?? '')
      const total = match?.[3] === '*' ? this.sizeBytes : Number(match?.[3])
      if (match === null || Number(match[1]) !== at || total !== this.sizeBytes) {
        await discard(response)
        throw this.#changed(`returned "${headers['content-range']}" for bytes ${at}-${end - 1} of ${this.sizeBytes}`)
      }
    } else if (status === 416) {
      await discard(response)
      throw this.#changed(`is shorter than the ${this.sizeBytes} bytes that were listed`)
    }
    await this.#checkVersion(response)
    this.#reached = true
    if (status === 206 || at === 0) return { response, skipBytes: 0 }
    if (!insist) return { response, skipBytes: at }
    await discard(response)
    return { response, skipBytes: null }
  }

  async #checkVersion(response: HubResponse): Promise<void> {
    const { etag, 'content-length': length } = response.headers
    const total = response.status === 200 && length !== undefined ? Number(length) : this.sizeBytes
    const same = this.#etag === null || etag === undefined || etag === this.#etag
    if (same && total === this.sizeBytes) {
      this.#etag = etag ?? this.#etag
      return
    }
    await discard(response)
    if (!same) throw this.#changed(`has ETag ${etag}, it was ${this.#etag}`)
    throw this.#changed(`has ${total} bytes, ${this.sizeBytes} were listed`)
  }

  async #getRange(range: string, signal: AbortSignal): Promise<HubResponse> {
    const { transport } = this.#options
    if (this.#location !== null) {
      const response = await transport.request(this.#location, { headers: { range }, signal })
      if (response.status < 400 || response.status === 416) return response
      // The signature has expired: resolved again below.
      await discard(response)
      this.#location = null
    }
    const response = await this.#resolve(range, signal)
    if (this.#location === null) return response
    await discard(response)
    const content = await transport.request(this.#location, { headers: { range }, signal })
    if (content.status < 400 || content.status === 416) return content
    await discard(content)
    // The Hub redirects to an object that does not exist: its upload was not completed.
    if (!this.#reached && (content.status === 404 || content.status === 410)) throw this.#missing(content)
    throw this.#refused(content)
  }

  /** Requests the file from the Hub, which either serves it or redirects to the file server. */
  async #resolve(range: string, signal: AbortSignal): Promise<HubResponse> {
    const { transport, context, token, commit, file } = this.#options
    const path = file.path.split('/').map(encodeURIComponent).join('/')
    const url = `${context.url}/datasets/${context.repo}/resolve/${commit}/${path}`
    const headers = { range, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) }
    const response = await transport.request(url, { headers, redirect: 'manual', signal })
    const { status, headers: received } = response
    if (status >= 400 && status !== 416) {
      await discard(response)
      const missing = status === 404 && received['x-error-code'] === 'EntryNotFound'
      throw missing && !this.#reached ? this.#missing(response) : this.#refused(response)
    }
    if (status < 300 || received.location === undefined) return response
    const linked = received['x-linked-etag']?.replace(/^W\/|"/g, '')
    const size = received['x-linked-size']
    if (size !== undefined && Number(size) !== this.sizeBytes) {
      await discard(response)
      throw this.#changed(`has ${size} bytes, ${this.sizeBytes} were listed`)
    }
    if (file.sha256 !== null && linked !== undefined && linked !== file.sha256) {
      await discard(response)
      throw this.#changed(`has sha256 ${linked}, ${file.sha256} was listed`)
    }
    this.#location = new URL(received.location, url).href
    // Another file server may use another ETag for the same content; the sha256 was compared above.
    if (linked !== undefined) this.#etag = null
    return response
  }

  get #name(): string {
    return `${this.#options.context.repo}/${this.path}`
  }

  /** The reject for a listed file without content. The listing succeeded, so repository, commit and token are valid. */
  #missing({ status }: HubResponse): ShardDamageError {
    return new ShardDamageError('shard-missing', `the Hub lists ${this.#name} and has no content of it (${status})`)
  }

  #refused({ status, headers, url }: HubResponse): Error {
    const message = headers['x-error-message'] ?? shownUrl(url)
    return hubResponseError({ status, errorCode: headers['x-error-code'], message }, this.#options.context)
  }

  #changed(what: string): Error {
    const { commit } = this.#options
    return new ShardChangedError(
      say`${this.#name} at ${commit.slice(0, 12)} ${what}. The file on the Hub is not the one that was
        listed: use a new run directory, or try again if a mirror is out of sync`,
    )
  }

  #silent(at: number, end: number, connections: number, cause: unknown): Error {
    return new HubUnavailableError(
      say`${this.#name}: no byte after ${at} of ${end} was received in ${connections} connections. Run the
        same command again: it resumes`,
      { cause },
    )
  }
}

/** Reads the rest of a short response, so that its connection can be reused; closes the connection of a long one. */
async function discard(response: HubResponse): Promise<void> {
  await response.body.dump({ limit: 64 * 1024 })
}

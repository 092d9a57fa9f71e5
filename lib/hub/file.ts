/**
 * One file of a dataset on the Hub, read as a stream that survives broken connections and a Range that was ignored.
 * Nothing is kept but the piece in hand: what is not asked for is not read. Listing is in hub.ts.
 */
import { HubUnavailableError, ShardChangedError, ShardDamageError } from '../errors.js'
import type { RangedFile } from '../storage/ranged-file.js'
import { type HubRequestContext, hubRefusal } from './errors.js'
import { type HubTransport, isConnectionFailure } from './fetch.js'
import { streamHash } from './hash.js'
import { type HubResponse, plain } from './request.js'

export interface HubFileEntry {
  readonly path: string
  readonly sizeBytes: number
  /** Null for small files that are kept in Git. */
  readonly sha256: string | null
  readonly oid: string
}

export interface HubFileOptions {
  readonly transport: HubTransport
  readonly context: HubRequestContext
  readonly token: string | undefined
  /** 40 hexadecimal digits. */
  readonly commit: string
  readonly file: HubFileEntry
}

/** Times in a row that a connection may bring nothing before the run stops, resumable. */
const fruitlessTriesMax = 8
/** Times in a row that a Range may be ignored before the bytes before it are read and thrown away. */
const ignoredRangesMax = 2

interface Opened {
  readonly answer: HubResponse
  /** Bytes to throw away before the first that was asked for. */
  readonly skipBytes: number
}

export class HubFile implements RangedFile {
  readonly path: string
  readonly sizeBytes: number
  readonly version: string
  readonly #options: HubFileOptions
  /** Where the file server has it; signed, good for some time. */
  #location: string | null = null
  #etag: string | null = null
  /** It was there: what is refused later is trouble of the Hub. */
  #reached = false

  constructor(options: HubFileOptions) {
    const { file, commit } = options
    this.#options = options
    this.path = file.path
    this.sizeBytes = file.sizeBytes
    this.version = `${commit} ${file.sha256 ?? file.oid}`
  }

  /**
   * Bytes from `offset` to the end, each once and in order.
   *
   * @throws {ShardChangedError} size, ETag or, on a read from 0, sha256 is not what the listing said
   * @throws {HubUnavailableError} the Hub stayed away
   * @throws {HubAccessError} the file may not be read
   */
  open(offset: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const { sha256 } = this.#options.file
    if (offset !== 0 || sha256 === null) return this.#stream(offset, this.sizeBytes, signal)
    return this.#checked(sha256, signal)
  }

  /** From the start; the sha256 is compared before the end is told. */
  async *#checked(sha256: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const hash = streamHash({ sizeBytes: this.sizeBytes, signal })
    try {
      for await (const piece of this.#stream(0, this.sizeBytes, signal)) {
        const room = hash.update(piece)
        if (room !== null) await room
        yield piece
      }
      const found = await hash.digest()
      if (found === sha256) return
      throw new ShardChangedError(
        `${this.#name} was received with sha256 ${found}, the Hub lists ${sha256}: a proxy or disk alters it. ` +
          'Nothing that was made of it is to be trusted, and some may be committed: begin anew (run --fresh --force keeps the replies)',
      )
    } finally {
      await hash.close()
    }
  }

  async read(offset: number, lengthBytes: number, signal: AbortSignal): Promise<Uint8Array> {
    const end = offset + lengthBytes
    if (offset < 0 || end > this.sizeBytes) {
      throw new RangeError(`${this.#name} has ${this.sizeBytes} bytes: cannot read ${offset} to ${end}`)
    }
    const bytes = new Uint8Array(lengthBytes)
    let at = 0
    for await (const piece of this.#stream(offset, end, signal)) {
      bytes.set(piece, at)
      at += piece.length
    }
    return bytes
  }

  async *#stream(start: number, end: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    let at = start
    let fruitless = 0
    let ignored = 0
    while (at < end) {
      const before = at
      let failure: unknown = null
      try {
        const { answer, skipBytes } = await this.#open(at, end, ignored < ignoredRangesMax, signal)
        if (skipBytes < 0) ignored++
        else
          for await (const piece of piecesOf(answer, skipBytes, end - at)) {
            at += piece.length
            yield piece
          }
      } catch (error) {
        signal.throwIfAborted()
        if (!isConnectionFailure(error)) throw error
        failure = error
      }
      if (at === end) return
      fruitless = at > before ? 0 : fruitless + 1
      if (fruitless >= fruitlessTriesMax) throw this.#gone(at, end, fruitless, failure)
      await this.#options.transport.backoff(fruitless + 1, signal)
    }
  }

  /** One ranged GET. A 200 to a Range is given back with −1 to skip while another try may still bring a 206. */
  async #open(at: number, end: number, insist: boolean, signal: AbortSignal): Promise<Opened> {
    const answer = await this.#ranged(`bytes=${at}-${end - 1}`, signal)
    const { status, headers } = answer
    if (status === 206) {
      const match = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(headers['content-range'] ?? '')
      const total = match?.[3] === '*' ? this.sizeBytes : Number(match?.[3])
      if (match === null || Number(match[1]) !== at || total !== this.sizeBytes) {
        await discard(answer)
        throw this.#changed(`answers "${headers['content-range']}" to bytes ${at}-${end - 1} of ${this.sizeBytes}`)
      }
    } else if (status === 416) {
      await discard(answer)
      throw this.#changed(`is shorter than the ${this.sizeBytes} bytes that were listed`)
    }
    await this.#checkVersion(answer)
    this.#reached = true
    if (status === 206 || at === 0) return { answer, skipBytes: 0 }
    if (!insist) return { answer, skipBytes: at }
    await discard(answer)
    return { answer, skipBytes: -1 }
  }

  async #checkVersion(answer: HubResponse): Promise<void> {
    const { etag, 'content-length': length } = answer.headers
    const total = answer.status === 200 && length !== undefined ? Number(length) : this.sizeBytes
    const same = this.#etag === null || etag === undefined || etag === this.#etag
    if (same && total === this.sizeBytes) {
      this.#etag = etag ?? this.#etag
      return
    }
    await discard(answer)
    if (!same) throw this.#changed(`has ETag ${etag}, it was ${this.#etag}`)
    throw this.#changed(`has ${total} bytes, ${this.sizeBytes} were listed`)
  }

  async #ranged(range: string, signal: AbortSignal): Promise<HubResponse> {
    const { transport } = this.#options
    if (this.#location !== null) {
      const answer = await transport.request(this.#location, { headers: { range }, signal })
      if (answer.status < 400 || answer.status === 416) return answer
      // The signature has expired: resolved again below.
      await discard(answer)
      this.#location = null
    }
    const answer = await this.#resolve(range, signal)
    if (this.#location === null) return answer
    await discard(answer)
    const content = await transport.request(this.#location, { headers: { range }, signal })
    if (content.status < 400 || content.status === 416) return content
    await discard(content)
    // The Hub names a place where its storage has nothing: the upload was not complete.
    if (!this.#reached && (content.status === 404 || content.status === 410)) throw this.#missing(content)
    throw this.#refused(content)
  }

  async #resolve(range: string, signal: AbortSignal): Promise<HubResponse> {
    const { transport, context, token, commit, file } = this.#options
    const path = file.path.split('/').map(encodeURIComponent).join('/')
    const url = `${context.url}/datasets/${context.repo}/resolve/${commit}/${path}`
    const headers = { range, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) }
    const answer = await transport.request(url, { headers, redirect: 'manual', signal })
    const { status, headers: said } = answer
    if (status >= 400 && status !== 416) {
      await discard(answer)
      const missing = status === 404 && said['x-error-code'] === 'EntryNotFound'
      throw missing && !this.#reached ? this.#missing(answer) : this.#refused(answer)
    }
    if (status < 300 || said.location === undefined) return answer
    const linked = said['x-linked-etag']?.replace(/^W\/|"/g, '')
    const size = said['x-linked-size']
    if (size !== undefined && Number(size) !== this.sizeBytes) {
      await discard(answer)
      throw this.#changed(`has ${size} bytes, ${this.sizeBytes} were listed`)
    }
    if (file.sha256 !== null && linked !== undefined && linked !== file.sha256) {
      await discard(answer)
      throw this.#changed(`has sha256 ${linked}, ${file.sha256} was listed`)
    }
    this.#location = new URL(said.location, url).href
    // Another file server may name the same content otherwise; its sha256 was compared above.
    if (linked !== undefined) this.#etag = null
    return answer
  }

  get #name(): string {
    return `${this.#options.context.repo}/${this.path}`
  }

  /** A fact about one file: repository, commit and token were good for the listing. */
  #missing({ status }: HubResponse): ShardDamageError {
    return new ShardDamageError('shard-missing', `the Hub lists ${this.#name} and has no content of it (${status})`)
  }

  #refused({ status, headers, url }: HubResponse): Error {
    const message = headers['x-error-message'] ?? plain(url)
    return hubRefusal({ status, errorCode: headers['x-error-code'], message }, this.#options.context)
  }

  #changed(what: string): Error {
    const { commit } = this.#options
    return new ShardChangedError(
      `${this.#name} at ${commit.slice(0, 12)} ${what}. The file on the Hub is not the one that was listed: ` +
        'start in a new run directory, or try again if a mirror is out of step',
    )
  }

  #gone(at: number, end: number, tries: number, cause: unknown): Error {
    return new HubUnavailableError(
      `${this.#name} brought no byte after ${at} of ${end} in ${tries} connections. Run the same command again: it goes on from here`,
      { cause },
    )
  }
}

async function* piecesOf(answer: HubResponse, skipBytes: number, bytesMax: number): AsyncGenerator<Uint8Array> {
  let skip = skipBytes
  let left = bytesMax
  for await (const piece of answer.body as AsyncIterable<Buffer>) {
    const wanted = piece.subarray(Math.min(skip, piece.length)).subarray(0, left)
    skip -= Math.min(skip, piece.length)
    left -= wanted.length
    if (wanted.length > 0) yield wanted
    if (left === 0) return
  }
}

/** Reads the end of a short answer, so that its connection can be used again; drops a long one. */
async function discard(answer: HubResponse): Promise<void> {
  await answer.body.dump({ limit: 64 * 1024 })
}

/** One object, pinned by ETag and size: read by range or as a stream that continues after a failure. */
import { ShardChangedError, ShardDamageError, StoreUnavailableError } from '../../errors.js'
import { readRange, resumedStream } from '../../http/resumed-stream.js'
import { say } from '../../language/say.js'
import type { RangedFile } from '../../storage/ranged-file.js'
import type { ListedObject } from './object-reads.js'
import type { S3Response } from './response.js'
import type { S3Transport } from './transport.js'

export class S3File implements RangedFile {
  readonly path: string
  readonly sizeBytes: number
  readonly version: string
  readonly #transport: S3Transport
  readonly #object: ListedObject
  /** Content was received before: a later 404 means that the object was removed. */
  #reached = false

  /** @param path its name in the source; by default the key */
  constructor(transport: S3Transport, object: ListedObject, path = object.key) {
    this.#transport = transport
    this.#object = object
    this.path = path
    this.sizeBytes = object.bytes
    this.version = `${object.etag.replaceAll('"', '')} ${object.bytes}`
  }

  /**
   * @throws {ShardChangedError} the object was replaced
   * @throws {ShardDamageError} it was listed, and does not exist
   * @throws {StoreUnavailableError} the store is down
   * @throws {StoreAccessError} the store refuses
   */
  open(offset: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    return this.#stream(offset, this.sizeBytes, signal)
  }

  read(offset: number, lengthBytes: number, signal: AbortSignal): Promise<Uint8Array> {
    return readRange(this.#name, this.sizeBytes, offset, lengthBytes, (end) => this.#stream(offset, end, signal))
  }

  #stream(start: number, end: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    return resumedStream({
      start,
      end,
      signal,
      open: (at, insist) => this.#open(at, end, insist, signal),
      backoff: (failures) => this.#transport.backoff(failures, signal),
      silent: (at, connections, cause) =>
        new StoreUnavailableError(
          say`${this.#name}: no byte after ${at} of ${end} was received in ${connections} connections. Run the
            same command again: it resumes`,
          { cause },
        ),
    })
  }

  async #open(at: number, end: number, insist: boolean, signal: AbortSignal) {
    const { key, etag } = this.#object
    const headers = { range: `bytes=${at}-${end - 1}`, ...(etag === '' ? {} : { 'if-match': etag }) }
    const outcome = await this.#transport.send({ method: 'GET', key, headers, signal })
    if ('error' in outcome) {
      const { error } = outcome
      if (error.status === 412) throw this.#changed('has another ETag')
      if (error.status === 416) throw this.#changed(`is shorter than the ${this.sizeBytes} bytes that were listed`)
      if (error.status !== 404 || error.code === 'NoSuchBucket') throw this.#transport.refusal(error, key)
      if (this.#reached) throw this.#changed('was removed')
      throw new ShardDamageError('shard-missing', `the bucket lists ${this.#name} and has no content of it (404)`)
    }
    await this.#check(outcome.response, at)
    this.#reached = true
    const { status, body } = outcome.response
    if (status === 206 || at === 0) return { body, skipBytes: 0 }
    if (!insist) return { body, skipBytes: at }
    await discard(outcome.response)
    return null
  }

  /** A server that ignores If-Match is found out by its headers. */
  async #check(response: S3Response, at: number): Promise<void> {
    const { status, headers } = response
    const [, first, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers['content-range'] ?? '') ?? []
    const size = status === 206 ? total : headers['content-length']
    const wrongRange = status === 206 && Number(first) !== at
    const wrongSize = size !== undefined && size !== '*' && Number(size) !== this.sizeBytes
    const wrongTag = headers.etag !== undefined && this.#object.etag !== '' && headers.etag !== this.#object.etag
    if (!wrongRange && !wrongSize && !wrongTag) return
    await discard(response)
    if (wrongTag) throw this.#changed(`has ETag ${headers.etag}, it was ${this.#object.etag}`)
    throw this.#changed(`returned "${headers['content-range'] ?? size}" for bytes from ${at} of ${this.sizeBytes}`)
  }

  get #name(): string {
    return `s3://${this.#transport.bucket}/${this.#object.key}`
  }

  #changed(what: string): Error {
    return new ShardChangedError(
      say`${this.#name} ${what}. The object is not the one that was listed: restore it, or use a new run directory`,
    )
  }
}

/** Reads the rest of a short response, so that its connection can be reused; closes the connection of a long one. */
async function discard(response: S3Response): Promise<void> {
  await response.body.dump({ limit: 64 * 1024 })
}

/** Large files of the simulated Hub: the LFS batch API, uploads whole or in parts, and the file server (CDN). */
import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream, existsSync, rmSync, statSync } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { HubRefusal } from './access.js'
import type { Exchange } from './exchange.js'
import type { HubStore } from './store.js'

export interface LfsOptions {
  /** Files of at least this many bytes are uploaded in parts of `partBytes`. */
  readonly multipartFromBytes: number
  readonly partBytes: number
  /** Storage quota; an upload beyond it is refused. */
  readonly storageBytesMax: number
  /** Lifetime of a signed URL of the file server. */
  readonly signedUrlMs: number
}

export class HubLfs {
  readonly #parts = new Map<string, Set<number>>()
  #uploads = 0
  readonly #store: HubStore
  readonly #options: LfsOptions
  readonly #now: () => number
  readonly #cdnUrl: () => string

  constructor(store: HubStore, options: LfsOptions, now: () => number, cdnUrl: () => string) {
    this.#store = store
    this.#options = options
    this.#now = now
    this.#cdnUrl = cdnUrl
  }

  /** POST …/info/lfs/objects/batch. */
  async batch(exchange: Exchange): Promise<void> {
    const { objects } = (await exchange.fields()) as { objects?: { oid: string; size: number }[] }
    if (!Array.isArray(objects)) throw new HubRefusal(400, 'objects is not an array')
    const wanted = objects.filter(({ oid, size }) => !this.#store.hasBlob(oid, size))
    const total = wanted.reduce((sum, { size }) => sum + size, this.#store.storedBytes())
    if (total > this.#options.storageBytesMax) {
      throw new HubRefusal(403, 'Private repository storage limit reached, please upgrade your plan to increase it.')
    }
    const described = objects.map(({ oid, size }) => ({
      oid,
      size,
      ...(this.#store.hasBlob(oid, size) ? {} : { actions: { upload: this.#upload(oid, size) } }),
    }))
    exchange.json({ transfer: 'basic', objects: described })
  }

  #upload(oid: string, size: number): { href: string; header?: Record<string, string> } {
    const href = `${this.#cdnUrl()}/upload/${oid}?size=${size}`
    if (size < this.#options.multipartFromBytes) return { href }
    const { partBytes } = this.#options
    const header: Record<string, string> = { chunk_size: String(partBytes) }
    const count = Math.ceil(size / partBytes)
    for (let part = 1; part <= count; part++) {
      header[String(part)] = `${this.#cdnUrl()}/upload/${oid}/${part}?size=${size}`
    }
    this.#parts.set(oid, new Set())
    return { href: `${this.#cdnUrl()}/complete/${oid}?size=${size}`, header }
  }

  /** Serves the file server: PUT of a file or part, POST of a completion, GET of a content. */
  async serve(exchange: Exchange): Promise<void> {
    const [, action = '', oid = '', part] = exchange.url.pathname.split('/')
    if (exchange.request.headers.authorization !== undefined) {
      throw new HubRefusal(400, 'Only one auth mechanism allowed: the token must not be sent to the file server')
    }
    const { method } = exchange.request
    if (action === 'upload' && method === 'PUT') return this.#put(exchange, oid, part)
    if (action === 'complete' && method === 'POST') return this.#complete(exchange, oid)
    if (action === 'content' && (method === 'GET' || method === 'HEAD')) return this.#content(exchange, oid)
    throw new HubRefusal(404, 'no such key')
  }

  signedUrl(sha256: string, path: string): string {
    const expires = this.#now() + this.#options.signedUrlMs
    return `${this.#cdnUrl()}/content/${sha256}?Expires=${expires}&filename=${encodeURIComponent(path)}`
  }

  async #content(exchange: Exchange, oid: string): Promise<void> {
    if (Number(exchange.url.searchParams.get('Expires')) < this.#now()) throw new HubRefusal(403, 'Request has expired')
    if (!this.#store.hasBlob(oid)) throw new HubRefusal(404, 'no such key')
    const path = this.#store.blobPath(oid)
    // The ETag of the file server is not the sha256.
    await exchange.file(path, statSync(path).size, `"${createHash('md5').update(oid).digest('hex')}"`)
  }

  async #put(exchange: Exchange, oid: string, part: string | undefined): Promise<void> {
    const name = part === undefined ? `${oid}.${this.#uploads++}` : `${oid}-${Number(part)}`
    const temporary = this.#store.temporaryPath(name)
    const hash = createHash('sha256')
    let bytes = 0
    await pipeline(
      exchange.request,
      async function* (source: AsyncIterable<Buffer>) {
        for await (const piece of source) {
          hash.update(piece)
          bytes += piece.length
          yield piece
        }
      },
      createWriteStream(temporary),
    )
    const sha256 = hash.digest('hex')
    if (part !== undefined) {
      this.#parts.get(oid)?.add(Number(part))
      return exchange.empty(200, exchange.fault?.kind === 'no-etag' ? {} : { ETag: `"${sha256.slice(0, 32)}"` })
    }
    this.#take(temporary, oid, sha256, bytes, exchange)
    exchange.empty(200, { ETag: `"${sha256.slice(0, 32)}"` })
  }

  async #complete(exchange: Exchange, oid: string): Promise<void> {
    const { parts } = (await exchange.fields()) as { parts?: { partNumber: number; etag: string }[] }
    if (!Array.isArray(parts)) throw new HubRefusal(400, 'parts is not an array')
    const whole = this.#store.temporaryPath(oid)
    const hash = createHash('sha256')
    let bytes = 0
    rmSync(whole, { force: true })
    for (const { partNumber } of parts) {
      const path = this.#store.temporaryPath(`${oid}-${partNumber}`)
      if (!existsSync(path)) throw new HubRefusal(400, `part ${partNumber} was not uploaded`)
      const source = createReadStream(path)
      source.on('data', (piece) => {
        hash.update(piece)
        bytes += piece.length
      })
      await pipeline(source, createWriteStream(whole, { flags: 'a' }))
      rmSync(path)
    }
    this.#take(whole, oid, hash.digest('hex'), bytes, exchange)
    exchange.json({})
  }

  #take(temporary: string, oid: string, sha256: string, bytes: number, exchange: Exchange): void {
    const size = Number(exchange.url.searchParams.get('size'))
    if (sha256 === oid && bytes === size) {
      this.#store.takeBlob(temporary, oid)
      return
    }
    rmSync(temporary, { force: true })
    throw new HubRefusal(400, `content does not match: ${bytes} bytes with sha256 ${sha256}, not ${size} with ${oid}`)
  }
}

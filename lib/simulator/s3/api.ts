/** The operations of the simulated S3: put, get, head, list, delete, and uploads in parts. */
import type { Buckets, Condition } from './buckets.js'
import { type Exchange, escaped } from './exchange.js'
import { S3Refusal } from './refusal.js'

export interface S3ApiOptions {
  /** `ignored`: as a server that does not know the headers · `refused`: 501 NotImplemented. */
  readonly conditions: 'enforced' | 'ignored' | 'refused'
  readonly pageKeys: number
}

export class S3Api {
  readonly #buckets: Buckets
  readonly #options: S3ApiOptions

  constructor(buckets: Buckets, options: S3ApiOptions) {
    this.#buckets = buckets
    this.#options = options
  }

  async serve(exchange: Exchange): Promise<void> {
    const { request, query, key } = exchange
    const { method } = request
    if (key === '') return this.#serveBucket(exchange)
    if (method === 'PUT' && query.has('partNumber')) return this.#putPart(exchange)
    if (method === 'PUT') return this.#put(exchange)
    if (method === 'GET' || method === 'HEAD') return this.#get(exchange)
    if (method === 'DELETE' && query.has('uploadId')) return this.#abort(exchange)
    if (method === 'DELETE') return this.#delete(exchange)
    if (method === 'POST' && query.has('uploads')) return this.#startUpload(exchange)
    if (method === 'POST' && query.has('uploadId')) return this.#complete(exchange)
    throw new S3Refusal(405, 'MethodNotAllowed')
  }

  async #serveBucket(exchange: Exchange): Promise<void> {
    const { method } = exchange.request
    if (method === 'GET') return this.#list(exchange)
    if (method === 'PUT') {
      this.#buckets.create(exchange.bucket)
      return exchange.empty(200)
    }
    if (method !== 'HEAD') throw new S3Refusal(405, 'MethodNotAllowed')
    this.#buckets.objectsOf(exchange.bucket)
    exchange.empty(200)
  }

  async #put(exchange: Exchange): Promise<void> {
    const { bucket, key } = exchange
    this.#buckets.objectsOf(bucket)
    const received = await this.#receive(exchange)
    const condition = this.#condition(exchange)
    const etag = `"${received.md5}"`
    this.#buckets.commit(bucket, key, { ...received, etag, metadata: exchange.metadata }, condition)
    exchange.empty(200, { ETag: etag })
  }

  async #get(exchange: Exchange): Promise<void> {
    const object = this.#buckets.find(exchange.bucket, exchange.key)
    const expected = this.#condition(exchange).ifMatch
    if (expected !== undefined && expected !== object.etag) throw new S3Refusal(412, 'PreconditionFailed')
    await exchange.object(object)
  }

  async #delete(exchange: Exchange): Promise<void> {
    this.#buckets.objectsOf(exchange.bucket).delete(exchange.key)
    exchange.empty(204)
  }

  async #list(exchange: Exchange): Promise<void> {
    const { query, fault, bucket } = exchange
    if (query.get('list-type') !== '2') throw new S3Refusal(501, 'NotImplemented', 'only ListObjectsV2')
    const prefix = query.get('prefix') ?? ''
    const after = Buffer.from(query.get('continuation-token') ?? '', 'base64url').toString('utf8')
    const keysMax = Math.min(this.#options.pageKeys, Number(query.get('max-keys') ?? 1000))
    const stored = [...this.#buckets.objectsOf(bucket)]
    if (fault?.kind === 'stale-list') {
      stored.sort(([, a], [, b]) => a.written - b.written)
      stored.splice(Math.max(0, stored.length - (fault.objects ?? 1)))
    }
    const found = stored
      .filter(([key]) => key.startsWith(prefix) && key > after)
      .sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    const page = found.slice(0, keysMax)
    const url = query.get('encoding-type') === 'url'
    const entries = page.map(([key, { bytes, etag }]) => {
      const shown = url ? encodeURIComponent(key).replaceAll('%2F', '/').replaceAll('%20', '+') : escaped(key)
      return `<Contents><Key>${shown}</Key><Size>${bytes}</Size><ETag>${etag.replaceAll('"', '&quot;')}</ETag></Contents>`
    })
    const more = found.length > page.length
    const token = Buffer.from(page.at(-1)?.[0] ?? '').toString('base64url')
    exchange.xml(
      'ListBucketResult',
      `<Name>${bucket}</Name>${url ? '<EncodingType>url</EncodingType>' : ''}<IsTruncated>${more}</IsTruncated>` +
        `${more ? `<NextContinuationToken>${token}</NextContinuationToken>` : ''}${entries.join('')}`,
    )
  }

  async #startUpload(exchange: Exchange): Promise<void> {
    const { bucket, key, metadata } = exchange
    const id = this.#buckets.startUpload(bucket, key, metadata)
    exchange.xml('InitiateMultipartUploadResult', `<Bucket>${bucket}</Bucket><UploadId>${id}</UploadId>`)
  }

  async #putPart(exchange: Exchange): Promise<void> {
    const { query } = exchange
    const { parts } = this.#buckets.upload(query.get('uploadId') ?? '')
    const number = Number(query.get('partNumber'))
    if (!Number.isInteger(number) || number < 1 || number > 10_000) throw new S3Refusal(400, 'InvalidArgument')
    const received = await this.#receive(exchange)
    parts.set(number, received)
    exchange.empty(200, { ETag: `"${received.md5}"` })
  }

  async #complete(exchange: Exchange): Promise<void> {
    const { query, bucket, key, fault } = exchange
    const id = query.get('uploadId') ?? ''
    const text = await exchange.text()
    const parts = [...text.matchAll(/<Part><PartNumber>(\d+)<\/PartNumber><ETag>(.*?)<\/ETag><\/Part>/g)]
    const named = parts.map(([, number, etag = '']) => ({
      number: Number(number),
      etag: etag.replaceAll('&quot;', '"'),
    }))
    if (fault?.kind === 'error-inside') {
      const code = fault.code ?? 'InternalError'
      return exchange.xml('Error', `<Code>${code}</Code><Message>We encountered an internal error.</Message>`)
    }
    const joined = await this.#buckets.join(id, named)
    const { etag } = this.#buckets.commit(bucket, key, joined, this.#condition(exchange))
    this.#buckets.endUpload(id)
    exchange.xml('CompleteMultipartUploadResult', `<Bucket>${bucket}</Bucket><ETag>${etag}</ETag>`)
  }

  async #abort(exchange: Exchange): Promise<void> {
    this.#buckets.endUpload(exchange.query.get('uploadId') ?? '')
    exchange.empty(204)
  }

  #receive(exchange: Exchange) {
    return this.#buckets.receive(exchange.request, exchange.header('x-amz-content-sha256') ?? 'UNSIGNED-PAYLOAD')
  }

  #condition(exchange: Exchange): Condition {
    const condition = { ifNoneMatch: exchange.header('if-none-match'), ifMatch: exchange.header('if-match') }
    const given = condition.ifNoneMatch !== undefined || condition.ifMatch !== undefined
    if (!given || this.#options.conditions === 'ignored') return {}
    if (this.#options.conditions === 'enforced') return condition
    throw new S3Refusal(501, 'NotImplemented', 'A header you provided implies functionality that is not implemented')
  }
}

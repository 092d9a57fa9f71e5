/** Reads of single objects, and pages of keys. */
import { readBytes } from '../../core/read-bytes.js'
import { StoreUnavailableError } from '../../errors.js'
import { isConnectionFailure } from '../../http/connection-failure.js'
import { say } from '../../language/say.js'
import { wholeFileBytesMax } from '../../storage/files.js'
import { elements, field, readText, type S3Error, type S3Response } from './response.js'
import type { S3Transport } from './transport.js'

interface S3ObjectFacts {
  readonly bytes: number
  /** In quotes, as it is sent. */
  readonly etag: string
  /** `x-amz-meta-` header of the writer's token, if the store kept it. */
  readonly writer: string | undefined
}

export interface ListedObject {
  readonly key: string
  readonly bytes: number
  readonly etag: string
}

/** User metadata that says which call wrote an object. */
export const writerHeader = 'x-amz-meta-kun-stream-writer'
/** Limit of S3 for a page. */
const pageKeysMax = 1000

/** A range of an object, which may end behind it. */
interface ObjectRange {
  readonly offset: number
  readonly lengthBytes: number
}

/** Returns the object, or a range of it; null if there is none. Requests it again if the connection breaks. */
export async function readObject(
  transport: S3Transport,
  key: string,
  range: ObjectRange | null = null,
): Promise<Uint8Array | null> {
  if (range?.lengthBytes === 0) return new Uint8Array()
  const end = range === null ? 0 : range.offset + range.lengthBytes
  const headers = range === null ? {} : { headers: { range: `bytes=${range.offset}-${end - 1}` } }
  for (let tries = 1; ; tries++) {
    const outcome = await transport.send({ method: 'GET', key, ...headers })
    if ('error' in outcome) {
      if (range !== null && outcome.error.status === 416) return new Uint8Array()
      return nullIfMissing(transport, outcome.error, key)
    }
    try {
      const bytes = await contentOf(outcome.response, key)
      // A server that ignores ranges sends the whole object.
      return range === null || outcome.response.status === 206 ? bytes : bytes.subarray(range.offset, end)
    } catch (error) {
      if (!isConnectionFailure(error) || tries >= transport.triesMax) throw error
      await transport.backoff(tries)
    }
  }
}

export async function describeObject(transport: S3Transport, key: string): Promise<S3ObjectFacts | null> {
  const outcome = await transport.send({ method: 'HEAD', key })
  if ('error' in outcome) return nullIfMissing(transport, outcome.error, key)
  const { headers, body } = outcome.response
  await body.dump()
  return { bytes: Number(headers['content-length'] ?? 0), etag: headers.etag ?? '', writer: headers[writerHeader] }
}

/** Yields the keys that begin with a prefix, in the order of the store: that of UTF-8 bytes. */
export async function* listObjects(
  transport: S3Transport,
  prefix: string,
  keysMax = pageKeysMax,
): AsyncGenerator<ListedObject> {
  const query = { 'list-type': '2', 'encoding-type': 'url', 'max-keys': String(keysMax), prefix }
  for (let token: string | undefined, pages = 0; pages === 0 || token !== undefined; pages++) {
    const asked = token === undefined ? query : { ...query, 'continuation-token': token }
    const outcome = await transport.send({ method: 'GET', key: '', query: asked })
    if ('error' in outcome) throw transport.refusal(outcome.error, prefix)
    const xml = await readText(outcome.response)
    if (!xml.includes('<ListBucketResult')) throw notList(transport.bucket)
    const decode = field(xml, 'EncodingType') === 'url' ? percentDecoded : (text: string) => text
    for (const entry of elements(xml, 'Contents')) {
      const key = decode(field(entry, 'Key') ?? '')
      yield { key, bytes: Number(field(entry, 'Size') ?? 0), etag: field(entry, 'ETag') ?? '' }
    }
    token = field(xml, 'IsTruncated') === 'true' ? field(xml, 'NextContinuationToken') : undefined
  }
}

export async function removeObject(transport: S3Transport, key: string): Promise<void> {
  const outcome = await transport.send({ method: 'DELETE', key })
  if ('error' in outcome) nullIfMissing(transport, outcome.error, key)
  else await outcome.response.body.dump()
}

/** @throws {StoreAccessError} anything but a missing object */
function nullIfMissing(transport: S3Transport, error: S3Error, key: string): null {
  if (error.status === 404 && error.code !== 'NoSuchBucket') return null
  throw transport.refusal(error, key)
}

async function contentOf({ headers, body }: S3Response, key: string): Promise<Uint8Array> {
  const tooLarge = () =>
    new StoreUnavailableError(
      say`${key} has more than ${wholeFileBytesMax} bytes, the limit for an object that is read whole`,
    )
  const content = await readBytes(body, wholeFileBytesMax, tooLarge)
  const length = headers['content-length']
  if (length !== undefined && Number(length) !== content.length) {
    throw Object.assign(new Error(`received ${content.length} of ${length} bytes`), { code: 'ECONNRESET' })
  }
  return content
}

function percentDecoded(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '))
}

function notList(bucket: string): StoreUnavailableError {
  return new StoreUnavailableError(
    say`s3://${bucket} did not return a list of objects: check that AWS_ENDPOINT_URL is the address of an S3 service`,
  )
}

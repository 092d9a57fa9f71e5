/** Objects and uploads of the simulated S3: names in memory, bytes in files of a folder. */
import { createHash, randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, mkdir, open } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { S3Refusal } from './refusal.js'

/** Bytes, or a file that holds them. */
interface StoredBytes {
  readonly content: Buffer | string
  readonly bytes: number
  readonly md5: string
}

export interface StoredObject extends StoredBytes {
  /** In quotes. */
  readonly etag: string
  /** Headers of the user: content-type and x-amz-meta-. */
  readonly metadata: Readonly<Record<string, string>>
  /** Order of writes. */
  readonly written: number
}

interface Upload {
  readonly bucket: string
  readonly key: string
  readonly metadata: Readonly<Record<string, string>>
  readonly parts: Map<number, StoredBytes>
}

/** A condition of a write. */
export interface Condition {
  readonly ifNoneMatch?: string | undefined
  readonly ifMatch?: string | undefined
}

/** Least size of a part other than the last; that of S3 is 5 MiB. */
const partBytesMin = 5 * 1024 * 1024
/** Larger bodies are written to a file. */
const memoryBytesMax = 256 * 1024

export class Buckets {
  readonly #directory: string
  readonly #objects = new Map<string, Map<string, StoredObject>>()
  readonly #uploads = new Map<string, Upload>()
  readonly #partBytesMin: number
  #files = 0
  #written = 0

  constructor(directory: string, partBytesLeast = partBytesMin) {
    this.#directory = directory
    this.#partBytesMin = partBytesLeast
  }

  async open(): Promise<void> {
    await mkdir(this.#directory, { recursive: true })
  }

  create(bucket: string): void {
    if (!this.#objects.has(bucket)) this.#objects.set(bucket, new Map())
  }

  /** @throws {S3Refusal} there is no such bucket */
  objectsOf(bucket: string): Map<string, StoredObject> {
    const objects = this.#objects.get(bucket)
    if (objects === undefined) throw new S3Refusal(404, 'NoSuchBucket', 'The specified bucket does not exist')
    return objects
  }

  /** @throws {S3Refusal} there is no such object */
  find(bucket: string, key: string): StoredObject {
    const object = this.objectsOf(bucket).get(key)
    if (object === undefined) throw new S3Refusal(404, 'NoSuchKey', 'The specified key does not exist.')
    return object
  }

  /** Receives bytes: small ones in memory. @throws {S3Refusal} their hash is not the one that was signed */
  async receive(body: AsyncIterable<Buffer>, sha256: string): Promise<StoredBytes> {
    const [md5, sha] = [createHash('md5'), createHash('sha256')]
    const chunks: Buffer[] = []
    let bytes = 0
    let file: FileHandle | null = null
    const path = this.#newPath()
    try {
      for await (const chunk of body) {
        bytes += chunk.length
        md5.update(chunk)
        sha.update(chunk)
        if (file === null) chunks.push(chunk)
        else await file.writeFile(chunk)
        if (file !== null || bytes <= memoryBytesMax) continue
        file = await open(path, 'w')
        await file.writeFile(Buffer.concat(chunks.splice(0)))
      }
    } finally {
      await file?.close()
    }
    if (sha256 !== 'UNSIGNED-PAYLOAD' && sha.digest('hex') !== sha256) {
      throw new S3Refusal(400, 'XAmzContentSHA256Mismatch', 'The provided hash does not match what was computed.')
    }
    return { content: file === null ? Buffer.concat(chunks, bytes) : path, bytes, md5: md5.digest('hex') }
  }

  /** Makes the object if the condition holds: in one step, so that of several writers one is the first. */
  commit(
    bucket: string,
    key: string,
    object: Omit<StoredObject, 'written'>,
    { ifNoneMatch, ifMatch }: Condition,
  ): StoredObject {
    const objects = this.objectsOf(bucket)
    const there = objects.get(key)
    const failed = new S3Refusal(
      412,
      'PreconditionFailed',
      'At least one of the pre-conditions you specified did not hold',
    )
    if (ifNoneMatch === '*' && there !== undefined) throw failed
    if (ifMatch !== undefined && there === undefined) throw new S3Refusal(404, 'NoSuchKey')
    if (ifMatch !== undefined && there?.etag !== ifMatch) throw failed
    const stored = { ...object, written: ++this.#written }
    objects.set(key, stored)
    return stored
  }

  startUpload(bucket: string, key: string, metadata: Upload['metadata']): string {
    this.objectsOf(bucket)
    const id = randomBytes(12).toString('hex')
    this.#uploads.set(id, { bucket, key, metadata, parts: new Map() })
    return id
  }

  upload(id: string): Upload {
    const upload = this.#uploads.get(id)
    if (upload === undefined) throw new S3Refusal(404, 'NoSuchUpload', 'The specified multipart upload does not exist.')
    return upload
  }

  endUpload(id: string): void {
    this.upload(id)
    this.#uploads.delete(id)
  }

  get openUploads(): number {
    return this.#uploads.size
  }

  /** Joins the parts. @throws {S3Refusal} a part is missing, changed, or too small */
  async join(id: string, named: readonly { number: number; etag: string }[]): Promise<Omit<StoredObject, 'written'>> {
    const { parts, metadata } = this.upload(id)
    const chosen = named.map(({ number, etag }, at) => {
      const part = parts.get(number)
      if (part === undefined || `"${part.md5}"` !== etag) throw new S3Refusal(400, 'InvalidPart')
      if (at > 0 && number <= (named[at - 1]?.number ?? 0)) throw new S3Refusal(400, 'InvalidPartOrder')
      if (at < named.length - 1 && part.bytes < this.#partBytesMin) throw new S3Refusal(400, 'EntityTooSmall')
      return part
    })
    const hashes = Buffer.concat(chosen.map(({ md5 }) => Buffer.from(md5, 'hex')))
    const etag = `"${createHash('md5').update(hashes).digest('hex')}-${chosen.length}"`
    const path = this.#newPath()
    const file = await open(path, 'w')
    try {
      for (const part of chosen) {
        const chunks: AsyncIterable<Buffer> = streamOf(part)
        for await (const chunk of chunks) await file.writeFile(chunk)
      }
    } finally {
      await file.close()
    }
    return { content: path, bytes: chosen.reduce((sum, { bytes }) => sum + bytes, 0), md5: '', etag, metadata }
  }

  #newPath(): string {
    return join(this.#directory, `${++this.#files}.${randomBytes(4).toString('hex')}`)
  }
}

/** Returns a half-open range of stored bytes. */
export function streamOf({ content, bytes }: StoredBytes, start = 0, end = bytes): Readable {
  if (typeof content !== 'string') return Readable.from([content.subarray(start, end)], { objectMode: false })
  return end === start ? Readable.from([]) : createReadStream(content, { start, end: end - 1 })
}

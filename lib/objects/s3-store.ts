/** Objects in a bucket, below a prefix. The first writer of a key wins by If-None-Match. */
import { stat } from 'node:fs/promises'
import { ShardChangedError, ShardDamageError } from '../errors.js'
import { fileSlice } from '../http/request-body.js'
import { type FileLayer, nodeFiles, storageError } from '../storage/files.js'
import { writeLocalFile } from './local-file.js'
import { checkKey, type ObjectFacts, type ObjectStore } from './object-store.js'
import { parseS3Address } from './s3/address.js'
import { describeObject, listObjects, readObject, removeObject } from './s3/object-reads.js'
import { writeObject } from './s3/object-writes.js'
import { S3File } from './s3/s3-file.js'
import { s3Settings } from './s3/settings.js'
import { S3Transport, type S3TransportOptions } from './s3/transport.js'

/** Options for `s3Store`; all optional. */
export interface S3StoreOptions {
  readonly transport?: S3TransportOptions
  /** AWS_* variables; those of the process by default. */
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** For local files. */
  readonly files?: FileLayer
  /** Size from which an object is sent in parts, and least size of a part; S3 takes no part below 5 MiB but the last. */
  readonly partBytes?: number
}

/** Tries to copy an object that its writer replaces meanwhile. */
const copiesMax = 3

/** @param where s3://bucket/prefix */
export function s3Store(where: string, options: S3StoreOptions = {}): ObjectStore {
  return new S3Store(where, options)
}

class S3Store implements ObjectStore {
  readonly url: string
  readonly directory = null
  readonly #transport: S3Transport
  readonly #prefix: string
  readonly #files: FileLayer
  #closing: Promise<void> | null = null
  readonly #partBytes: { partBytes?: number }

  constructor(where: string, { transport = {}, environment, files = nodeFiles, partBytes }: S3StoreOptions) {
    const { bucket, prefix } = parseS3Address(where)
    this.#prefix = prefix === '' ? '' : `${prefix}/`
    this.url = `s3://${bucket}/${prefix}`
    const renewed = () => s3Settings(environment)
    this.#transport = new S3Transport(bucket, renewed(), { renewed, ...transport })
    this.#files = files
    this.#partBytes = partBytes === undefined ? {} : { partBytes }
  }

  putIfAbsent(key: string, bytes: Uint8Array): Promise<boolean> {
    return this.#write(key, bytes, true)
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    await this.#write(key, bytes, false)
  }

  async putFile(key: string, path: string): Promise<void> {
    const { size } = await stat(path).catch((cause: unknown) => {
      throw storageError('read the metadata of', path, cause)
    })
    await this.#write(key, fileSlice(path, 0, size), false)
  }

  async get(key: string): Promise<Uint8Array | null> {
    return readObject(this.#transport, this.#keyOf(key))
  }

  getRange(key: string, offset: number, lengthBytes: number): Promise<Uint8Array | null> {
    return readObject(this.#transport, this.#keyOf(key), { offset, lengthBytes })
  }

  async getFile(key: string, path: string): Promise<boolean> {
    const whole = this.#keyOf(key)
    for (let tries = 1; ; tries++) {
      const found = await describeObject(this.#transport, whole)
      if (found === null) return false
      const object = new S3File(this.#transport, { key: whole, bytes: found.bytes, etag: found.etag })
      try {
        await writeLocalFile(this.#files, path, async (file) => {
          for await (const chunk of object.open(0, new AbortController().signal)) await file.write(chunk)
        })
        return true
      } catch (error) {
        const replaced = error instanceof ShardChangedError || error instanceof ShardDamageError
        if (!replaced || tries === copiesMax) throw error
      }
    }
  }

  async head(key: string): Promise<ObjectFacts | null> {
    const found = await describeObject(this.#transport, this.#keyOf(key))
    return found === null ? null : { bytes: found.bytes }
  }

  async *list(prefix: string): AsyncGenerator<string> {
    for await (const { key } of listObjects(this.#transport, this.#prefix + prefix))
      yield key.slice(this.#prefix.length)
  }

  async remove(key: string): Promise<void> {
    await removeObject(this.#transport, this.#keyOf(key))
  }

  close(): Promise<void> {
    this.#closing ??= this.#transport.close()
    return this.#closing
  }

  async #write(
    key: string,
    content: Parameters<typeof writeObject>[1]['content'],
    ifAbsent: boolean,
  ): Promise<boolean> {
    return writeObject(this.#transport, { key: this.#keyOf(key), content, ifAbsent, ...this.#partBytes })
  }

  #keyOf(key: string): string {
    checkKey(key, this.#prefix)
    return this.#prefix + key
  }
}

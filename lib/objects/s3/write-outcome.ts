/** What a write is, and what a response to it means: ours is there, another's is, or another write is in progress. */
import { createHash } from 'node:crypto'
import { StoreRefusedError } from '../../errors.js'
import { isSliceable, type Sliceable } from '../../http/request-body.js'
import { say } from '../../language/say.js'
import { describeObject, readObject } from './object-reads.js'
import type { S3Error } from './response.js'
import type { S3Transport } from './transport.js'

export type Content = Uint8Array | Sliceable

/** Larger contents are sent in parts of this size or more. */
export const partBytesDefault = 16 * 1024 * 1024
const hashPieceBytes = 1024 * 1024

export interface WriteOptions {
  readonly key: string
  readonly content: Content
  /** The write fails if the key exists. */
  readonly ifAbsent: boolean
  readonly partBytes?: number
}

/** State of one call over all of its tries. */
export interface Write extends WriteOptions {
  readonly transport: S3Transport
  /** Token of this call. */
  readonly writer: string
  /** Headers of the request that makes the object. */
  readonly condition: Readonly<Record<string, string>>
}

/** `conflict`: another write of the key is in progress: try again. */
export type WriteOutcome = 'written' | 'exists' | 'conflict'

/** Returns what an error response means for a write. @throws what the caller cannot act upon */
export async function outcomeOf(write: Write, error: S3Error, uncertain: boolean): Promise<WriteOutcome> {
  const { transport, key, ifAbsent } = write
  if (error.status === 409) return 'conflict'
  if (ifAbsent && error.status === 412) return uncertain ? whose(write) : 'exists'
  if (ifAbsent && (error.status === 501 || error.code === 'NotImplemented')) {
    throw new StoreRefusedError(
      say`s3://${transport.bucket} does not implement conditional writes (If-None-Match), by which workers agree who was first:
        use a store that does, or a directory`,
      { details: { status: error.status, code: error.code, store: `s3://${transport.bucket}/` } },
    )
  }
  throw transport.refusal(error, key)
}

/** Reads back whose object is there. */
export async function whose({ transport, key, content, writer }: Write): Promise<WriteOutcome> {
  const found = await describeObject(transport, key)
  if (found === null) return 'conflict'
  if (found.writer !== undefined) return found.writer === writer ? 'written' : 'exists'
  // A store or a proxy that drops metadata. Equal content counts as ours.
  if (found.bytes !== sizeOf(content)) return 'exists'
  const bytes = await readObject(transport, key)
  if (bytes === null) return 'conflict'
  return (await hashOf(bytes)) === (await hashOf(content)) ? 'written' : 'exists'
}

export function sizeOf(content: Content): number {
  return isSliceable(content) ? content.size : content.length
}

/** SHA-256 in hexadecimal. Memory: a piece of 1 MiB of a file. */
export async function hashOf(content: Content): Promise<string> {
  const hash = createHash('sha256')
  if (!isSliceable(content)) return hash.update(content).digest('hex')
  for (let start = 0; start < content.size; start += hashPieceBytes) {
    const end = Math.min(start + hashPieceBytes, content.size)
    hash.update(new Uint8Array(await content.slice(start, end).arrayBuffer()))
  }
  return hash.digest('hex')
}

/** Bodies of requests to the Hub: small ones as they are, files read piece by piece and never retained. */
import { open } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { StorageError } from '../errors.js'

/** Read by slices, so that a file on disk is never whole in memory and can be sent again. A Blob is one. */
export interface Sliceable {
  readonly size: number
  slice(start: number, end: number): Sliceable
  arrayBuffer(): Promise<ArrayBuffer>
}

export type RequestBody = string | Uint8Array | Sliceable

const pieceBytes = 1024 * 1024

interface Sending {
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: RequestBody
  readonly onSent?: ((bytes: number) => void) | undefined
}

export function sentBody({ headers = {}, body, onSent }: Sending): {
  headers: Record<string, string>
  body?: string | Uint8Array | Readable
} {
  if (body === undefined) return { headers: { ...headers } }
  if (!isSliceable(body)) return { headers: { ...headers }, body }
  return {
    headers: { ...headers, 'content-length': String(body.size) },
    body: Readable.from(pieces(body, onSent), { objectMode: false, highWaterMark: pieceBytes }),
  }
}

async function* pieces(blob: Sliceable, onSent: ((bytes: number) => void) | undefined): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < blob.size; at += pieceBytes) {
    const end = Math.min(at + pieceBytes, blob.size)
    yield new Uint8Array(await blob.slice(at, end).arrayBuffer())
    onSent?.(end)
  }
}

export function isSliceable(body: RequestBody): body is Sliceable {
  return typeof body === 'object' && 'size' in body && 'slice' in body && 'arrayBuffer' in body
}

/** A stretch of a file. Unlike the Blob of `openAsBlob` it does not mind that the file grows behind it. */
export function fileSlice(path: string, offset: number, size: number): Sliceable {
  return {
    size,
    slice: (start, end) => fileSlice(path, offset + start, Math.min(end, size) - start),
    async arrayBuffer() {
      const file = await open(path, 'r')
      try {
        const bytes = new Uint8Array(size)
        for (let done = 0; done < size; ) {
          const { bytesRead } = await file.read(bytes, done, size - done, offset + done)
          if (bytesRead === 0)
            throw new StorageError(`${path} became shorter than ${offset + size} bytes while it was sent`)
          done += bytesRead
        }
        return bytes.buffer
      } finally {
        await file.close()
      }
    },
  }
}

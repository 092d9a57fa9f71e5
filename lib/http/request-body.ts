/** Request bodies: small ones in memory, files read in slices. */
import { open } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { StorageError } from '../errors.js'
import { say } from '../language/say.js'

/** Content that is read in slices, and can be sent again after a failure. A `Blob` is one. */
export interface Sliceable {
  readonly size: number
  slice(start: number, end: number): Sliceable
  arrayBuffer(): Promise<ArrayBuffer>
}

export type RequestBody = string | Uint8Array | Sliceable

/** Bytes read and sent at a time. */
const chunkBytes = 1024 * 1024

interface RequestParts {
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: RequestBody
  readonly onSent?: ((bytes: number) => void) | undefined
}

/** Returns headers and body in the form that undici takes. */
export function wireBody({ headers = {}, body, onSent }: RequestParts): {
  headers: Record<string, string>
  body?: string | Uint8Array | Readable
} {
  if (body === undefined) return { headers: { ...headers } }
  if (!isSliceable(body)) return { headers: { ...headers }, body }
  return {
    headers: { ...headers, 'content-length': String(body.size) },
    body: Readable.from(chunksOf(body, onSent), { objectMode: false, highWaterMark: chunkBytes }),
  }
}

async function* chunksOf(
  content: Sliceable,
  onSent: ((bytes: number) => void) | undefined,
): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < content.size; start += chunkBytes) {
    const end = Math.min(start + chunkBytes, content.size)
    yield new Uint8Array(await content.slice(start, end).arrayBuffer())
    onSent?.(end)
  }
}

export function isSliceable(body: RequestBody): body is Sliceable {
  return typeof body === 'object' && 'size' in body && 'slice' in body && 'arrayBuffer' in body
}

/** Returns a range of a file as request body. Unlike the Blob of `openAsBlob`, it stays valid when the file grows. */
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
            throw new StorageError(say`${path} became shorter than ${offset + size} bytes while it was uploaded`)
          done += bytesRead
        }
        return bytes.buffer
      } finally {
        await file.close()
      }
    },
  }
}

/** Bodies of requests to the Hub: small ones as they are, files read piece by piece and never retained. */
import { Readable } from 'node:stream'

/** A Blob is read by slices, so that a file on disk is never whole in memory and can be sent again. */
export type RequestBody = string | Uint8Array | Blob

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
  if (!isBlob(body)) return { headers: { ...headers }, body }
  return {
    headers: { ...headers, 'content-length': String(body.size) },
    body: Readable.from(pieces(body, onSent), { objectMode: false, highWaterMark: pieceBytes }),
  }
}

async function* pieces(blob: Blob, onSent: ((bytes: number) => void) | undefined): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < blob.size; at += pieceBytes) {
    const end = Math.min(at + pieceBytes, blob.size)
    yield new Uint8Array(await blob.slice(at, end).arrayBuffer())
    onSent?.(end)
  }
}

function isBlob(body: RequestBody): body is Blob {
  return typeof body === 'object' && 'size' in body && 'slice' in body && 'arrayBuffer' in body
}

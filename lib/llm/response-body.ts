/**
 * The body of an answer as text, decompressed, never more than is allowed: whole, its beginning, or piece by piece.
 * Leaves what the text says to wire.ts and stream.ts. A body that is given up on closes its connection.
 */
import { pipeline, type Readable } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import { ServerError } from '../errors.js'
import type { Headers } from './rate-limits.js'
import { malformed } from './wire.js'

/** A reply of more is not a reply: 8 MiB, half of what a frame of the replies' log holds. */
export const REPLY_BYTES_MAX = 8 * 1024 * 1024

/** An error says what it has to say within so much: 256 KiB. */
const ERROR_BYTES_MAX = 256 * 1024

/** The body of a response of undici. */
export type Body = Readable & { text(): Promise<string> }

/**
 * The whole text. Bytes that are not UTF-8 are U+FFFD.
 *
 * @throws {ServerError} it is larger than `REPLY_BYTES_MAX`, or does not decompress
 */
export async function readText(body: Body, headers: Headers): Promise<string> {
  const announced = Number(headers['content-length'])
  if (announced <= REPLY_BYTES_MAX && codings(headers).length === 0) return body.text()
  const pieces: string[] = []
  for await (const piece of textPieces(body, headers)) pieces.push(piece)
  return pieces.join('')
}

/** The beginning of an error's text, whatever comes after it. */
export async function readErrorText(body: Body, headers: Headers): Promise<string> {
  const pieces: string[] = []
  let chars = 0
  for await (const piece of textPieces(body, headers)) {
    pieces.push(piece)
    chars += piece.length
    if (chars >= ERROR_BYTES_MAX) break
  }
  return pieces.join('').slice(0, ERROR_BYTES_MAX)
}

/**
 * The text as it arrives, cut anywhere but inside a character.
 *
 * @throws {ServerError} it is larger than `REPLY_BYTES_MAX`, or does not decompress
 */
export async function* textPieces(body: Body, headers: Headers): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let bytes = 0
  for await (const part of decompressed(body, headers)) {
    bytes += (part as Buffer).length
    if (bytes > REPLY_BYTES_MAX) throw malformed(`an answer of more than ${REPLY_BYTES_MAX} bytes`)
    yield decoder.decode(part as Buffer, { stream: true })
  }
  yield decoder.decode()
}

/** A proxy may compress though nothing asked it to. */
async function* decompressed(body: Body, headers: Headers): AsyncGenerator<Buffer> {
  const names = codings(headers)
  // An error of the body is thrown where it is read; one of a body that is given up on says nothing.
  body.on('error', () => undefined)
  try {
    let decoding: Readable = body
    for (const name of names.reverse()) {
      // An error of either end ends the other, and is thrown where the result is read.
      decoding = pipeline(decoding, decoderOf(name), () => undefined)
    }
    yield* decoding as AsyncIterable<Buffer>
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    if (error instanceof ServerError || !/^(?:Z_|ERR_BROTLI|ERR_.*BROTLI|ERR__ERROR)/.test(code)) throw error
    throw malformed(`an answer that does not decompress as ${names.join(', ')} (${code})`)
  } finally {
    body.destroy()
  }
}

function decoderOf(name: string) {
  if (name === 'gzip' || name === 'x-gzip') return createGunzip()
  if (name === 'deflate') return createInflate()
  if (name === 'br') return createBrotliDecompress()
  throw malformed(`an answer with content-encoding ${name}, which it was not asked for and which is not supported`)
}

function codings(headers: Headers): string[] {
  const names = String(headers['content-encoding'] ?? '')
    .toLowerCase()
    .split(',')
  return names.map((name) => name.trim()).filter((name) => name !== '' && name !== 'identity')
}

/**
 * Reads a response body as text, decompressed and bounded: whole, its beginning, or piece by piece.
 * reply-body.ts and streamed-reply.ts parse the text. Abandoning a body closes its connection.
 */

import { pipeline, type Readable } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import { bytesOf } from '../../core/read-bytes.js'
import { ServerError } from '../../errors.js'
import type { Headers } from './rate-limits.js'
import { malformedReply } from './reply-body.js'

/** Largest reply: 8 MiB, half of the largest frame in a log of replies. */
export const replyBytesMax = 8 * 1024 * 1024

/** Bytes of an error body that are read: 256 KiB. */
export const errorBytesMax = 256 * 1024

/** The body of a response: of undici, or of bytes that were received whole. */
export type Body = Readable & { text?(): Promise<string> }

/**
 * Reads the whole text. Bytes that are not UTF-8 become U+FFFD.
 *
 * @throws {ServerError} it is larger than `replyBytesMax`, or does not decompress
 */
export async function readText(body: Body, headers: Headers): Promise<string> {
  const announced = Number(headers['content-length'])
  if (body.text !== undefined && announced <= replyBytesMax && codings(headers).length === 0) return body.text()
  const pieces: string[] = []
  for await (const piece of textPieces(body, headers)) pieces.push(piece)
  return pieces.join('')
}

/**
 * Returns the text of a body that was received whole, a JSON object; null if it is compressed or may be a
 * stream of events.
 */
export function plainText(bytes: Buffer, headers: Headers): string | null {
  if (headers['content-encoding'] !== undefined && codings(headers).length > 0) return null
  if (String(headers['content-type']).includes('text/event-stream')) return null
  const text = bytes.toString('utf8')
  return text.startsWith('{') ? text : null
}

/** Reads the beginning of an error's text and ignores the rest. */
export async function readErrorText(body: Body, headers: Headers): Promise<string> {
  const pieces: string[] = []
  let chars = 0
  for await (const piece of textPieces(body, headers)) {
    pieces.push(piece)
    chars += piece.length
    if (chars >= errorBytesMax) break
  }
  return pieces.join('').slice(0, errorBytesMax)
}

/**
 * Yields the text as it arrives, never split inside a character.
 *
 * @throws {ServerError} it is larger than `replyBytesMax`, or does not decompress
 */
export async function* textPieces(body: Body, headers: Headers): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let bytes = 0
  for await (const part of decompressed(body, headers)) {
    bytes += part.length
    if (bytes > replyBytesMax) throw malformedReply(`a response of more than ${replyBytesMax} bytes`)
    yield decoder.decode(part, { stream: true })
  }
  yield decoder.decode()
}

/** Decompresses: a proxy may compress although the request does not accept it. */
async function* decompressed(body: Body, headers: Headers): AsyncGenerator<Buffer> {
  const names = codings(headers)
  // An error of the body is thrown to its reader; an error of an abandoned body is ignored.
  body.on('error', () => undefined)
  try {
    let decoding: Readable = body
    for (const name of names.reverse()) {
      // An error of either end ends the other, and is thrown where the result is read.
      decoding = pipeline(decoding, decoderOf(name), () => undefined)
    }
    yield* bytesOf(decoding)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    if (error instanceof ServerError || !/^(?:Z_|ERR_BROTLI|ERR_.*BROTLI|ERR__ERROR)/.test(code)) throw error
    throw malformedReply(`a response that does not decompress as ${names.join(', ')} (${code})`)
  } finally {
    body.destroy()
  }
}

function decoderOf(name: string) {
  if (name === 'gzip' || name === 'x-gzip') return createGunzip()
  if (name === 'deflate') return createInflate()
  if (name === 'br') return createBrotliDecompress()
  throw malformedReply(`a response with content-encoding ${name}, which was not requested and is not supported`)
}

function codings(headers: Headers): string[] {
  const names = String(headers['content-encoding'] ?? '')
    .toLowerCase()
    .split(',')
  return names.map((name) => name.trim()).filter((name) => name !== '' && name !== 'identity')
}

/** A request to the simulated S3 and its response: bucket and key, XML, ranges of objects, and the faults of a body. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { readBody } from '../read-body.js'
import { type StoredObject, streamOf } from './buckets.js'
import type { AppliedS3Fault } from './faults.js'
import { S3Refusal } from './refusal.js'

/** Largest XML body: a completed upload names 10,000 parts. */
const xmlBytesMax = 4 * 1024 * 1024

export class Exchange {
  readonly bucket: string
  readonly key: string
  readonly query: URLSearchParams

  constructor(
    readonly request: IncomingMessage,
    readonly response: ServerResponse,
    readonly fault: AppliedS3Fault | null,
  ) {
    const url = new URL(request.url ?? '/', 'http://s3.invalid')
    const host = /^(.+)\.localhost(?::\d+)?$/.exec(request.headers.host ?? '')?.[1]
    const path = url.pathname.slice(1)
    const slash = path.indexOf('/')
    this.bucket = host ?? decodeURIComponent(slash < 0 ? path : path.slice(0, slash))
    this.key = decodeURIComponent(host !== undefined ? path : slash < 0 ? '' : path.slice(slash + 1))
    this.query = url.searchParams
  }

  header(name: string): string | undefined {
    const value = this.request.headers[name]
    return Array.isArray(value) ? value.join(',') : value
  }

  /** Headers that are stored with an object. */
  get metadata(): Record<string, string> {
    const names = Object.keys(this.request.headers).filter(
      (name) => name === 'content-type' || name.startsWith('x-amz-meta-'),
    )
    return Object.fromEntries(names.map((name) => [name, this.header(name) ?? '']))
  }

  async text(): Promise<string> {
    const body = await readBody(this.request, xmlBytesMax, () => new S3Refusal(413, 'EntityTooLarge'))
    return body.toString('utf8')
  }

  xml(root: string, content: string, status = 200, headers: Readonly<Record<string, string>> = {}): void {
    const body = Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>\n<${root}>${content}</${root}>`)
    const all = { 'Content-Type': 'application/xml', 'Content-Length': String(body.length), ...headers }
    if (this.#head(status, all)) this.response.end(this.request.method === 'HEAD' ? undefined : body)
  }

  empty(status: number, headers: Readonly<Record<string, string>> = {}): void {
    const length: Record<string, string> = status === 204 ? {} : { 'Content-Length': '0' }
    if (this.#head(status, { ...length, ...headers })) this.response.end()
  }

  refuse({ status, code, message, headers }: S3Refusal): void {
    this.xml('Error', `<Code>${code}</Code><Message>${escaped(message)}</Message>`, status, headers)
  }

  /** Sends an object or the requested range of it. */
  async object(object: StoredObject): Promise<void> {
    const { kind } = this.fault ?? {}
    const range = kind === 'ignore-range' ? null : parseRange(this.header('range'), object.bytes)
    if (range === 'unsatisfiable') throw new S3Refusal(416, 'InvalidRange')
    const [start, end] = range ?? [0, object.bytes]
    const { 'content-type': type = 'binary/octet-stream', ...metadata } = object.metadata
    const headers: Record<string, string> = {
      ETag: object.etag,
      'Accept-Ranges': 'bytes',
      'Content-Type': type,
      'Content-Length': String(end - start),
      ...(kind === 'no-metadata' ? {} : metadata),
    }
    if (range !== null) headers['Content-Range'] = `bytes ${start}-${end - 1}/${object.bytes}`
    if (!this.#head(range === null ? 200 : 206, headers)) return
    if (this.request.method === 'HEAD' || end === start) {
      this.response.end()
      return
    }
    if (kind === 'cut') return this.#cut(object, start, end - start)
    await pipeline(streamOf(object, start, end), this.response)
  }

  async #cut(object: StoredObject, start: number, length: number): Promise<void> {
    const { afterBytes, place = 0 } = this.fault ?? {}
    const sent = Math.min(afterBytes ?? Math.floor(place * length), length - 1)
    if (sent > 0) {
      await pipeline(streamOf(object, start, start + sent), this.response, { end: false })
    } else this.response.flushHeaders()
    if (this.response.writableLength > 0) {
      await new Promise((resolve) => this.response.once('drain', resolve).once('close', resolve))
    }
    this.response.socket?.destroySoon()
  }

  /** Writes the headers; false if the response is to be lost. */
  #head(status: number, headers: Readonly<Record<string, string>>): boolean {
    if (this.fault?.kind === 'lost') {
      this.response.destroy()
      return false
    }
    this.response.writeHead(status, headers)
    return true
  }
}

export function escaped(text: string): string {
  return text.replace(/[<>&]/g, (character) => `&#${character.charCodeAt(0)};`)
}

/** Parses `bytes=a-b`, `bytes=a-` and `bytes=-n` to [start, end); null without a Range. */
function parseRange(header: string | undefined, bytes: number): [number, number] | 'unsatisfiable' | null {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? []
  if (first === '' && last === '') return null
  const start = first === '' ? Math.max(0, bytes - Number(last)) : Number(first)
  const end = first === '' || last === '' ? bytes : Math.min(bytes, Number(last) + 1)
  return start >= bytes || end <= start ? 'unsatisfiable' : [start, end]
}

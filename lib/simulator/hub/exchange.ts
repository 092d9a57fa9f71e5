/** A request to the simulated Hub and its response: parses bodies, sends JSON and ranges of files, applies faults of the body. */

import { createReadStream } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { errorMessage } from '../../caught-error.js'
import { readBody } from '../read-body.js'
import { HubRefusal } from './access.js'
import type { AppliedFault } from './faults.js'

/** Largest body: a commit contains small files inline. */
const bodyBytesMax = 256 * 1024 * 1024

export class Exchange {
  readonly headers: Record<string, string> = {}
  readonly url: URL

  constructor(
    readonly request: IncomingMessage,
    readonly response: ServerResponse,
    readonly fault: AppliedFault | null,
  ) {
    this.url = new URL(request.url ?? '/', 'http://hub.invalid')
  }

  body(): Promise<Buffer> {
    return readBody(this.request, bodyBytesMax, () => new HubRefusal(413, 'request entity too large'))
  }

  /** Parses JSON, as sent by the JavaScript client, or a form, as sent by the Python client. */
  async fields(): Promise<Record<string, unknown>> {
    const text = (await this.body()).toString('utf8')
    if (this.request.headers['content-type']?.startsWith('application/x-www-form-urlencoded')) {
      const form = new URLSearchParams(text)
      return Object.fromEntries([...new Set(form.keys())].map((key) => [key, form.getAll(key)]))
    }
    try {
      return text === '' ? {} : JSON.parse(text)
    } catch (error) {
      throw new HubRefusal(400, `not JSON: ${errorMessage(error)}`)
    }
  }

  json(value: unknown, status = 200): void {
    const body = Buffer.from(JSON.stringify(value))
    const headers = { 'Content-Type': 'application/json; charset=utf-8', 'Content-Length': String(body.length) }
    if (this.#head(status, headers)) this.response.end(body)
  }

  empty(status: number, headers: Record<string, string> = {}): void {
    if (this.#head(status, { 'Content-Length': '0', ...headers })) this.response.end()
  }

  refuse(refusal: HubRefusal): void {
    Object.assign(this.headers, refusal.headers)
    this.headers['X-Error-Message'] = refusal.message.replaceAll(/[^\x20-\x7e]/g, '?')
    if (refusal.errorCode !== undefined) this.headers['X-Error-Code'] = refusal.errorCode
    this.json({ error: refusal.message }, refusal.status)
  }

  /** Sends a file or the requested range, with the faults of a body. */
  async file(path: string, sizeBytes: number, etag: string): Promise<void> {
    const kind = this.fault?.kind
    const range = kind === 'ignore-range' ? null : parseRange(this.request.headers.range, sizeBytes)
    if (range === 'unsatisfiable') return this.empty(416, { 'Content-Range': `bytes */${sizeBytes}` })
    const [start, end] = range ?? [0, sizeBytes]
    const length = end - start
    const claimed = sizeBytes + (kind === 'wrong-size' ? 1 : 0)
    const headers: Record<string, string> = {
      ETag: kind === 'wrong-etag' ? '"0000000000000000changed"' : etag,
      'Accept-Ranges': 'bytes',
      'Content-Type': 'application/octet-stream',
    }
    if (kind !== 'truncate') headers['Content-Length'] = String(length)
    if (range !== null) headers['Content-Range'] = `bytes ${start}-${end - 1}/${claimed}`
    if (!this.#head(range === null ? 200 : 206, headers)) return
    if (this.request.method === 'HEAD' || length === 0) {
      this.response.end()
      return
    }
    await this.#send(path, start, length)
  }

  async #send(path: string, start: number, length: number): Promise<void> {
    const { kind, afterBytes, place = 0 } = this.fault ?? {}
    const inside = Math.floor(place * length)
    if (kind === 'cut' || kind === 'truncate') {
      const sent = Math.min(afterBytes ?? inside, length - 1)
      if (sent > 0) {
        await pipeline(createReadStream(path, { start, end: start + sent - 1 }), this.response, { end: false })
      } else {
        this.response.flushHeaders()
      }
      if (kind === 'truncate') this.response.end()
      else await this.#drop()
      return
    }
    const body = createReadStream(path, { start, end: start + length - 1, highWaterMark: 256 * 1024 })
    if (kind === 'corrupt') await pipeline(body, flipByte(inside), this.response)
    else await pipeline(body, this.response)
  }

  /** Closes the connection after everything written was sent, so that the client receives an incomplete body. */
  async #drop(): Promise<void> {
    const { socket } = this.response
    if (socket === null) return
    await new Promise<void>((resolve) => {
      if (this.response.writableLength === 0) resolve()
      else this.response.once('drain', resolve).once('close', resolve)
    })
    socket.destroySoon()
  }

  /** Writes the headers; returns false if the response is to be lost. */
  #head(status: number, headers: Record<string, string>): boolean {
    if (this.fault?.kind === 'reset-after') {
      this.response.destroy()
      return false
    }
    this.response.writeHead(status, { ...this.headers, ...headers })
    return true
  }
}

/** Parses `bytes=a-b`, `bytes=a-` and `bytes=-n` to [start, end); null without a Range. */
function parseRange(header: string | undefined, sizeBytes: number): [number, number] | 'unsatisfiable' | null {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '')
  if (match === null || (match[1] === '' && match[2] === '')) return null
  if (match[1] === '') {
    const start = Math.max(0, sizeBytes - Number(match[2]))
    return start === sizeBytes ? 'unsatisfiable' : [start, sizeBytes]
  }
  const start = Number(match[1])
  const end = match[2] === '' ? sizeBytes : Math.min(sizeBytes, Number(match[2]) + 1)
  return start >= sizeBytes || end <= start ? 'unsatisfiable' : [start, end]
}

function flipByte(at: number): Transform {
  let seen = 0
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const inside = at - seen
      seen += chunk.length
      if (inside >= 0 && inside < chunk.length) chunk[inside] = (chunk[inside] as number) ^ 0x01
      done(null, chunk)
    },
  })
}

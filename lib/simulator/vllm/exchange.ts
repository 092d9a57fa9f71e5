/**
 * A request and its reply over HTTP: reads the body, and sends the reply whole, as events, or damaged by a fault.
 */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { errorMessage } from '../../caught-error.js'
import type { RequestHandle } from './engine.js'
import type { FaultRule } from './fault-rules.js'
import { Refusal } from './refusal.js'

/** Bytes of a request body; a client that sends more gets 413. */
const bodyBytesMax = 64 * 1024 * 1024

export class Exchange {
  body = ''
  fault: FaultRule | null = null
  texts: readonly string[] = []
  readonly handles: RequestHandle[] = []
  #finished = false

  constructor(
    readonly request: IncomingMessage,
    readonly response: ServerResponse,
    readonly number: number,
  ) {}

  get open(): boolean {
    return !this.#finished && !this.response.destroyed
  }

  /** @throws {Refusal} 413 over bodyBytesMax; resolves to null if the client disconnected */
  async read(): Promise<string | null> {
    const chunks: Buffer[] = []
    let bytes = 0
    const { request } = this
    // Events in place of an async iterator, which costs as much as parsing the body.
    const complete = await new Promise<boolean>((resolve) => {
      request.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        if (bytes <= bodyBytesMax) chunks.push(chunk)
      })
      request.on('end', () => resolve(true))
      request.on('error', () => resolve(false))
      request.on('close', () => resolve(request.complete))
    })
    if (!complete) return null // the client disconnected: no response can be sent
    if (bytes > bodyBytesMax) throw new Refusal(413, `The body has ${bytes} bytes; ${bodyBytesMax} are allowed.`)
    this.body = chunks.length === 1 ? (chunks[0] as Buffer).toString() : Buffer.concat(chunks).toString()
    return this.body
  }

  json(status: number, value: unknown): void {
    this.send(status, JSON.stringify(value))
  }

  /** Sends the body, unchanged or damaged by the fault of this exchange. */
  send(status: number, body: string, type = 'application/json'): void {
    if (!this.open) return
    this.#finished = true
    this.response.statusCode = status
    this.response.setHeader('content-type', type)
    const kind = status === 200 ? this.fault?.kind : undefined
    if (kind === 'reset-in-body') {
      this.#resetAfterHalf(body)
      return
    }
    const text = kind === 'truncated-json' ? body.slice(0, Math.floor(body.length / 2)) : body
    this.response.setHeader('content-length', Buffer.byteLength(text))
    this.response.end(text)
  }

  refuse(refusal: Refusal): void {
    if (this.response.headersSent) {
      this.reset()
      return
    }
    if (refusal.retryAfterSeconds !== undefined) {
      this.response.setHeader('retry-after', String(refusal.retryAfterSeconds))
    }
    this.send(refusal.status, refusal.body())
  }

  /** Opens a server-sent event stream and sends the headers. */
  startEvents(): void {
    this.response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' })
    this.response.flushHeaders()
  }

  event(value: unknown): void {
    if (this.open) this.response.write(`data: ${JSON.stringify(value)}\n\n`)
  }

  endEvents(): void {
    if (!this.open) return
    this.#finished = true
    if (this.fault?.kind === 'reset-in-body') {
      this.reset()
      return
    }
    if (this.fault?.kind !== 'truncated-json') this.response.write('data: [DONE]\n\n')
    this.response.end()
  }

  /** Resets the connection. */
  reset(): void {
    this.#finished = true
    this.request.socket.resetAndDestroy()
  }

  abort(): void {
    for (const handle of this.handles) handle.abort()
  }

  #resetAfterHalf(body: string): void {
    this.response.setHeader('content-length', Buffer.byteLength(body))
    this.response.write(body.slice(0, Math.floor(body.length / 2)), () => {
      // One turn of the event loop later, so that the half is sent before the reset.
      setImmediate(() => this.request.socket.resetAndDestroy())
    })
  }
}

/** @throws {Refusal} 400 */
export function parseJson(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch (cause) {
    throw new Refusal(400, `The body is not JSON: ${errorMessage(cause)}`)
  }
}

export function pathOf(request: IncomingMessage): string {
  const url = request.url ?? '/'
  const query = url.indexOf('?')
  return query < 0 ? url : url.slice(0, query)
}

export function headerOf(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name]
  return typeof value === 'string' ? value : undefined
}

/**
 * Serves a page to the browser of this machine: the page, JSON for its script, and events. Listens on loopback only.
 * Every path starts with a random token, which only the printed address has; a request for another host name is refused,
 * so that a foreign site cannot reach the server through a name that resolves to this machine (DNS rebinding).
 */

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { errorMessage } from '../caught-error.js'
import { readBytes } from '../core/read-bytes.js'
import { type KunStreamError, SystemError, UsageError } from '../errors.js'
import { say } from '../language/say.js'
import { portOf } from '../listen.js'

const loopback = '127.0.0.1'
const ownHosts: ReadonlySet<string> = new Set(['127.0.0.1', 'localhost', '[::1]'])
const tokenBytes = 18
const connectionsMax = 64
/** Open event streams. */
const listenersMax = 8
const bodyBytesMax = 1024 * 1024
/** Events of a listener that does not read are skipped above this many bytes. */
const unreadBytesMax = 4 * 1024 * 1024
const requestTimeoutMs = 60_000

interface PageServerOptions {
  /** 0 for a free port. */
  readonly port: number
  /** Option that sets the port, for messages. */
  readonly portOption: string
  /** Returns the HTML of the page. */
  readonly page: () => Promise<string>
  /** Path → JSON of a GET request. */
  readonly get: Readonly<Record<string, (query: URLSearchParams) => Promise<unknown>>>
  /** Path → JSON of a POST request with a JSON body. */
  readonly post?: Readonly<Record<string, (body: unknown) => Promise<unknown>>>
  /** Returns the next event for the path `events`; called once for all listeners, while there are any. */
  readonly event?: { readonly everyMs: number; readonly read: () => Promise<unknown> }
}

export interface PageServer {
  /** With the token. */
  readonly url: string
  /** Open pages that receive events. */
  readonly listeners: number
  /** Sends an event to all listeners. */
  send(event: unknown): void
  close(): Promise<void>
}

/** @throws {UsageError} the port is in use, or may not be used */
export async function startPageServer(options: PageServerOptions): Promise<PageServer> {
  const token = randomBytes(tokenBytes).toString('base64url')
  const listeners = new Listeners(options.event)
  const server = createServer({ requestTimeout: requestTimeoutMs }, (request, response) => {
    respond(request, response, { options, token, listeners }).catch((error: unknown) => fail(response, error))
  })
  server.maxConnections = connectionsMax
  const port = await listen(server, options)
  return {
    url: `http://${loopback}:${port}/${token}/`,
    get listeners() {
      return listeners.size
    },
    send: (event) => listeners.send(event),
    close: async () => {
      listeners.close()
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

async function listen(server: Server, { port, portOption }: PageServerOptions): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => reject(listenError(cause, port, portOption)))
    server.listen(port, loopback, resolve)
  })
  return portOf(server)
}

function listenError(cause: NodeJS.ErrnoException, port: number, option: string): KunStreamError {
  if (cause.code === 'EADDRINUSE') {
    return new UsageError(say`port ${port} is in use; choose another one, or 0 for a free one: ${option}=0`, { cause })
  }
  if (cause.code === 'EACCES') {
    return new UsageError(say`port ${port} needs administrator rights; choose one above 1023: ${option}=0`, { cause })
  }
  return new SystemError(say`cannot listen on ${loopback}:${port}: ${cause.message}`, { cause })
}

interface Served {
  readonly options: PageServerOptions
  readonly token: string
  readonly listeners: Listeners
}

async function respond(request: IncomingMessage, response: ServerResponse, served: Served): Promise<void> {
  const { options, token, listeners } = served
  for (const [name, value] of headers) response.setHeader(name, value)
  if (!isOwnHost(request.headers.host)) return reply(response, 421, { error: say`this host name is not served` })
  const url = new URL(request.url ?? '/', `http://${loopback}`)
  const [, given = '', ...rest] = url.pathname.split('/')
  if (!isEqual(given, token)) return reply(response, 403, { error: say`open the address that the command printed` })
  const path = rest.join('/')
  if (request.method === 'POST') return reply(response, 200, await posted(request, path, options))
  if (request.method !== 'GET') return reply(response, 405, { error: say`only GET and POST are served` })
  if (path === '') {
    response.setHeader('content-type', 'text/html; charset=utf-8')
    response.end(await options.page())
  } else if (path === 'events' && options.event !== undefined) listeners.add(request, response)
  else {
    const handler = Object.hasOwn(options.get, path) ? options.get[path] : undefined
    if (handler === undefined) return reply(response, 404, { error: say`there is no such page` })
    reply(response, 200, await handler(url.searchParams))
  }
}

const headers: readonly (readonly [string, string])[] = [
  ['cache-control', 'no-store'],
  ['x-content-type-options', 'nosniff'],
  ['x-frame-options', 'DENY'],
  ['referrer-policy', 'no-referrer'],
  ['cross-origin-resource-policy', 'same-origin'],
  ['cross-origin-opener-policy', 'same-origin'],
]

/** Any port: the page may be reached through a forwarded one. */
function isOwnHost(host: string | undefined): boolean {
  return host !== undefined && ownHosts.has(host.replace(/:\d+$/, '').toLowerCase())
}

/** Compares hashes, which have the same length, in constant time. */
function isEqual(given: string, token: string): boolean {
  const hash = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(hash(given), hash(token))
}

async function posted(request: IncomingMessage, path: string, { post = {} }: PageServerOptions): Promise<unknown> {
  const { origin } = request.headers
  const isForeign = origin !== undefined && !(URL.canParse(origin) && isOwnHost(new URL(origin).host))
  const isJson = /^application\/json\b/.test(request.headers['content-type'] ?? '')
  const handler = Object.hasOwn(post, path) ? post[path] : undefined
  if (isForeign || !isJson || handler === undefined) throw new UsageError(say`this request is not served`)
  return await handler(await jsonBody(request))
}

async function jsonBody(request: IncomingMessage): Promise<unknown> {
  const tooLarge = () => new UsageError(say`the request is longer than ${bodyBytesMax} bytes`)
  const body = await readBytes(request, bodyBytesMax, tooLarge)
  try {
    return JSON.parse(body.toString())
  } catch (cause) {
    throw new UsageError(say`the request is not valid JSON`, { cause })
  }
}

function reply(response: ServerResponse, status: number, value: unknown): void {
  response.statusCode = status
  response.setHeader('content-type', 'application/json; charset=utf-8')
  response.end(JSON.stringify(value ?? null))
}

function fail(response: ServerResponse, error: unknown): void {
  const message = errorMessage(error)
  if (response.headersSent) response.destroy()
  else reply(response, error instanceof UsageError ? 400 : 500, { error: message })
}

/** Open event streams (server-sent events), which all receive the same events. */
class Listeners {
  readonly #open = new Set<ServerResponse>()
  readonly #source: PageServerOptions['event']
  #timer: NodeJS.Timeout | null = null
  #reading = false

  constructor(source: PageServerOptions['event']) {
    this.#source = source
  }

  get size(): number {
    return this.#open.size
  }

  add(request: IncomingMessage, response: ServerResponse): void {
    if (this.#open.size >= listenersMax) {
      reply(response, 503, { error: say`too many pages are open` })
      return
    }
    response.setHeader('content-type', 'text/event-stream; charset=utf-8')
    response.flushHeaders()
    request.socket.setTimeout(0)
    this.#open.add(response)
    response.on('close', () => {
      this.#open.delete(response)
      if (this.#open.size === 0) this.#stop()
    })
    this.#timer ??= setInterval(() => void this.#tick(), this.#source?.everyMs ?? 1_000)
    void this.#tick()
  }

  send(event: unknown): void {
    const text = `data: ${JSON.stringify(event)}\n\n`
    for (const response of this.#open) if (response.writableLength <= unreadBytesMax) response.write(text)
  }

  close(): void {
    this.#stop()
    for (const response of this.#open) response.end()
  }

  #stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
  }

  async #tick(): Promise<void> {
    if (this.#reading || this.#source === undefined) return
    this.#reading = true
    try {
      this.send(await this.#source.read())
    } catch (error) {
      this.send({ error: errorMessage(error) })
    } finally {
      this.#reading = false
    }
  }
}

/**
 * A simulated S3 on loopback: one service with buckets, conditional writes and uploads in parts, which checks
 * signatures and can be configured to fail as a store does, or to ignore conditions as some do.
 */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { asError } from '../../caught-error.js'
import { listen } from '../../listen.js'
import { readBody } from '../read-body.js'
import { S3Api, type S3ApiOptions } from './api.js'
import { Buckets } from './buckets.js'
import { Exchange } from './exchange.js'
import { type AppliedS3Fault, type S3Fault, S3Faults } from './faults.js'
import { S3Refusal } from './refusal.js'
import { checkSignature, type SimulatedKeys } from './signature-check.js'

/** Options for `startS3`; all but `directory` are optional. */
export interface SimulatedS3Options {
  /** Keeps the bytes of the objects while the server runs. */
  readonly directory: string
  /** 0, the default, takes a free port. */
  readonly port?: number
  readonly host?: string
  /** The buckets that exist at the start; `kun` by default. */
  readonly buckets?: readonly string[]
  /** The account; `simulatedKeys` by default. */
  readonly keys?: SimulatedKeys
  /** 'us-east-1' by default. */
  readonly region?: string
  /** What is done with If-None-Match and If-Match; enforced by default. */
  readonly conditions?: S3ApiOptions['conditions']
  /** Keys on a page of a listing; 1,000 by default. */
  readonly pageKeys?: number
  /** Least size of a part; 5 MiB by default, as in S3. */
  readonly partBytesMin?: number
  readonly faults?: readonly S3Fault[]
  /** Clock in milliseconds; `Date.now` by default. */
  readonly now?: () => number
}

export const simulatedKeys: SimulatedKeys = { accessKeyId: 'simulated-key', secretAccessKey: 'simulated-secret-key' }

/** One request as the server received it. */
export interface S3LogEntry {
  readonly method: string
  /** With the query. */
  readonly path: string
  readonly range: string | null
  /** 0 if the connection was closed without a response. */
  readonly status: number
  readonly fault: string | null
}

/** A simulated S3 that is listening. */
export interface SimulatedS3 {
  /** For AWS_ENDPOINT_URL. */
  readonly url: string
  /** The AWS_* variables of a client. */
  readonly environment: Readonly<Record<string, string>>
  /** Requests so far, oldest first. */
  readonly log: readonly S3LogEntry[]
  readonly faults: S3Faults
  /** Uploads in parts that were neither completed nor aborted. */
  readonly openUploads: number
  close(): Promise<void>
}

/** Older entries are dropped. */
const logEntriesMax = 100_000

/** Starts a simulated S3 on loopback. */
export async function startS3(options: SimulatedS3Options): Promise<SimulatedS3> {
  const { directory, keys = simulatedKeys, region = 'us-east-1', now = Date.now, host = '127.0.0.1' } = options
  const buckets = new Buckets(directory, options.partBytesMin)
  await buckets.open()
  for (const bucket of options.buckets ?? ['kun']) buckets.create(bucket)
  const api = new S3Api(buckets, { conditions: options.conditions ?? 'enforced', pageKeys: options.pageKeys ?? 1000 })
  const faults = new S3Faults()
  faults.set(options.faults ?? [])
  const log: S3LogEntry[] = []
  const ending = new AbortController()
  const server = createServer((request, response) => {
    const { method = 'GET', url: path = '/' } = request
    if (path.startsWith('/admin/')) return void administer(request, response, faults, log)
    const fault = faults.faultFor(`${method} ${path}`)
    response.setHeader('Date', new Date(now()).toUTCString())
    response.once('close', () => {
      const status = response.headersSent ? response.statusCode : 0
      log.push({ method, path, range: request.headers.range ?? null, status, fault: fault?.kind ?? null })
      if (log.length > logEntriesMax) log.splice(0, log.length - logEntriesMax)
    })
    void respond(request, response, fault, ending.signal, async (exchange) => {
      checkSignature(request, { keys, region, nowMs: now() })
      await api.serve(exchange)
    })
  })
  const port = await listen(server, host, options.port ?? 0)
  const url = `http://${host}:${port}`
  const token: Record<string, string> = keys.sessionToken === undefined ? {} : { AWS_SESSION_TOKEN: keys.sessionToken }
  return {
    url,
    environment: {
      AWS_ENDPOINT_URL: url,
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: keys.accessKeyId,
      AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
      ...token,
    },
    log,
    faults,
    get openUploads() {
      return buckets.openUploads
    },
    close: () => {
      ending.abort()
      return new Promise((resolve, reject) => {
        server.close((error) => (error === undefined ? resolve() : reject(error)))
        server.closeAllConnections()
      })
    },
  }
}

/** Size of a list of faults. */
const faultsBytesMax = 1_000_000

/** POST /admin/faults sets the faults, GET /admin/log returns the requests. */
async function administer(
  request: IncomingMessage,
  response: ServerResponse,
  faults: S3Faults,
  log: readonly S3LogEntry[],
): Promise<void> {
  const json = (value: unknown, status = 200) => {
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(value))
  }
  if (request.url === '/admin/log') return json(log)
  if (request.url !== '/admin/faults' || request.method !== 'POST') {
    return json({ error: 'POST /admin/faults with an array of faults, or GET /admin/log' }, 404)
  }
  try {
    const body = await readBody(request, faultsBytesMax, () => new Error('the list of faults is too long'))
    const given: unknown = JSON.parse(body.toString('utf8'))
    if (!Array.isArray(given)) return json({ error: 'give an array of faults: [{"kind":"lost","match":"^PUT"}]' }, 400)
    faults.set(given as S3Fault[])
    json({ faults: given.length })
  } catch (error) {
    json({ error: String(error) }, 400)
  }
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  fault: AppliedS3Fault | null,
  ending: AbortSignal,
  serve: (exchange: Exchange) => Promise<void>,
): Promise<void> {
  if (fault?.kind === 'stall') return
  if (fault?.kind === 'reset') {
    request.socket.destroy()
    return
  }
  try {
    const exchange = new Exchange(request, response, fault)
    try {
      if (fault?.kind === 'slow') await sleep(fault.waitMs ?? 100, undefined, { signal: ending })
      if (fault?.kind === 'status')
        throw new S3Refusal(fault.status ?? 503, fault.code ?? 'SlowDown', 'Please reduce your request rate.')
      await serve(exchange)
    } catch (error) {
      if (response.destroyed || response.headersSent) throw error
      exchange.refuse(error instanceof S3Refusal ? error : new S3Refusal(500, 'InternalError', String(error)))
    }
    // Reads the rest of a body that was not needed, so that the connection can be reused.
    request.resume()
  } catch (error) {
    // The client disconnected, or a fault cut the body: no error response can be sent.
    if (!response.destroyed) response.destroy(asError(error))
  }
}

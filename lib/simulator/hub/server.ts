/** The HTTP servers of the stand-in Hub: every request is logged, meets its fault, and gets an answer or a refusal. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { HubRefusal, rateHeaders, tooManyRequests } from './access.js'
import { Exchange } from './exchange.js'
import type { HubFaults, MetFault } from './faults.js'

/** One request as the stand-in saw it. */
export interface HubLogEntry {
  readonly host: 'api' | 'cdn'
  readonly method: string
  /** With the query. */
  readonly path: string
  readonly range: string | null
  /** 0 when the connection was closed without an answer. */
  readonly status: number
  /** On the wire, heads included. */
  readonly bytesIn: number
  readonly bytesOut: number
  readonly fault: string | null
}

/** Older entries are forgotten. */
const logEntriesMax = 100_000

export function hubServer(
  host: 'api' | 'cdn',
  faults: HubFaults,
  log: HubLogEntry[],
  serve: (exchange: Exchange) => Promise<void>,
): Server {
  const seen = new WeakMap<Socket, { in: number; out: number }>()
  return createServer((request, response) => {
    const { method = 'GET', url: path = '/', socket } = request
    const administration = path.startsWith('/admin/')
    const fault = administration ? null : faults.meet(`${method} ${host === 'cdn' ? '/cdn' : ''}${path}`)
    response.once('close', () => {
      const before = seen.get(socket) ?? { in: 0, out: 0 }
      seen.set(socket, { in: socket.bytesRead, out: socket.bytesWritten })
      if (administration) return
      log.push({
        host,
        method,
        path,
        range: request.headers.range ?? null,
        status: response.headersSent ? response.statusCode : 0,
        bytesIn: socket.bytesRead - before.in,
        bytesOut: socket.bytesWritten - before.out,
        fault: fault?.kind ?? null,
      })
      if (log.length > logEntriesMax) log.splice(0, log.length - logEntriesMax)
    })
    void answer(request, response, fault, serve)
  })
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  fault: MetFault | null,
  serve: (exchange: Exchange) => Promise<void>,
): Promise<void> {
  const exchange = new Exchange(request, response, fault)
  if (fault?.kind === 'stall') return
  if (fault?.kind === 'reset') {
    request.socket.destroy()
    return
  }
  try {
    if (fault?.kind === 'status' || fault?.kind === 'rate-limit') throw refusalOf(fault)
    await serve(exchange)
  } catch (error) {
    // A client that went away, or a body cut on purpose: there is nobody left to tell.
    if (response.destroyed || response.headersSent) request.socket.destroy()
    else exchange.refuse(error instanceof HubRefusal ? error : new HubRefusal(500, String(error)))
  }
  // An answer that did not need the body must not leave it on the connection.
  request.resume()
}

function refusalOf(fault: MetFault): HubRefusal {
  if (fault.kind === 'rate-limit') {
    return tooManyRequests(rateHeaders('api', 0, fault.waitSeconds ?? 1, { requestsMax: 1000, windowMs: 300_000 }))
  }
  const headers = fault.waitSeconds === undefined ? {} : { 'Retry-After': String(fault.waitSeconds) }
  return new HubRefusal(fault.status ?? 500, fault.error ?? 'Internal Error', fault.errorCode, headers)
}

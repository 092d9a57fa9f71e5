/** The HTTP servers of the simulated Hub: log every request, apply its fault, and send a response or an error. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { HubRefusal, rateHeaders, tooManyRequests } from './access.js'
import { Exchange } from './exchange.js'
import type { AppliedFault, HubFaults } from './faults.js'

/** One request as the server received it. */
export interface HubLogEntry {
  readonly host: 'api' | 'cdn'
  readonly method: string
  /** With the query. */
  readonly path: string
  readonly range: string | null
  /** 0 if the connection was closed without a response. */
  readonly status: number
  /** Bytes on the wire, including headers. */
  readonly bytesIn: number
  readonly bytesOut: number
  readonly fault: string | null
}

/** Older entries are dropped. */
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
    const fault = administration ? null : faults.faultFor(`${method} ${host === 'cdn' ? '/cdn' : ''}${path}`)
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
    void respond(request, response, fault, serve)
  })
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  fault: AppliedFault | null,
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
    // The client disconnected, or a fault cut the body: no error response can be sent.
    if (response.destroyed || response.headersSent) request.socket.destroy()
    else exchange.refuse(error instanceof HubRefusal ? error : new HubRefusal(500, String(error)))
  }
  // Reads the rest of a body that was not needed, so that the connection can be reused.
  request.resume()
}

function refusalOf(fault: AppliedFault): HubRefusal {
  if (fault.kind === 'rate-limit') {
    return tooManyRequests(rateHeaders('api', 0, fault.waitSeconds ?? 1, { requestsMax: 1000, windowMs: 300_000 }))
  }
  const headers = fault.waitSeconds === undefined ? {} : { 'Retry-After': String(fault.waitSeconds) }
  return new HubRefusal(fault.status ?? 500, fault.error ?? 'Internal Error', fault.errorCode, headers)
}

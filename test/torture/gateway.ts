/**
 * A gateway in front of a simulator that answers some requests itself: with an error, a reset, an error inside a 200, or
 * not at all. Which ones is for the caller to say, by the kept reply that a request is for, and when it came.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What the gateway does instead of passing a request on. */
export const disturbances = ['429', '503', '500', 'reset', 'hang', '200 with an error'] as const
export type Disturbance = (typeof disturbances)[number]

/** A request as the gateway sees it. */
export interface Passing {
  /** Of the reply that it is for, in hex; null for probes, controls and metrics. */
  readonly key: string | null
  readonly path: string
  /** Name of the model; null where the body names none. */
  readonly model: string | null
  /** JSON as sent; empty where there is none. */
  readonly body: string
}

export interface Gateway {
  readonly url: string
  /** Null passes a request on. */
  judge: (passing: Passing) => Disturbance | null
  /** Resets what hangs. */
  unhang(): void
  close(): Promise<void>
}

const keyHeader = 'x-kun-key'

export async function startGateway(target: string): Promise<Gateway> {
  const { origin } = new URL(target)
  const hanging = new Set<ServerResponse>()
  const server = createServer((request, response) => {
    void answer(request, response).catch(() => response.destroy()) // the client is gone, or the simulator
  })
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    const body = Buffer.concat(parts)
    const path = request.url ?? '/'
    const key = request.headers[keyHeader]
    const passing = {
      key: typeof key === 'string' ? key : null,
      path,
      model: modelOf(body),
      body: body.toString('utf8'),
    }
    const disturbance = gateway.judge(passing)
    if (disturbance !== null) return disturb(response, disturbance, hanging)
    const { 'content-type': type = 'application/json' } = request.headers
    const passed = await fetch(origin + path, {
      method: request.method ?? 'GET',
      headers: { 'content-type': type, ...(typeof key === 'string' && { [keyHeader]: key }) },
      ...(body.length > 0 && { body }),
    })
    response.writeHead(passed.status, { 'content-type': passed.headers.get('content-type') ?? 'application/json' })
    response.end(Buffer.from(await passed.arrayBuffer()))
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const gateway: Gateway = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    judge: () => null,
    unhang: () => {
      for (const response of hanging) response.destroy()
      hanging.clear()
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return gateway
}

function disturb(response: ServerResponse, disturbance: Disturbance, hanging: Set<ServerResponse>): void {
  const words = { error: { message: `disturbed on purpose (${disturbance})`, type: 'server_error' } }
  switch (disturbance) {
    case 'reset':
      response.destroy()
      return
    case 'hang':
      hanging.add(response)
      response.once('close', () => hanging.delete(response))
      return
    case '200 with an error':
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(words))
      return
    default:
      response.writeHead(Number(disturbance), { 'content-type': 'application/json' }).end(JSON.stringify(words))
  }
}

function modelOf(body: Buffer): string | null {
  if (body.length === 0) return null
  const { model } = JSON.parse(body.toString('utf8')) as { model?: unknown }
  return typeof model === 'string' ? model : null
}

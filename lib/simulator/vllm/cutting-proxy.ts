/**
 * A TCP proxy that closes silent connections, as load balancers do.
 */

import { connect, createServer, type Socket } from 'node:net'
import { z } from 'zod'
import { EndpointError } from '../../errors.js'
import { portOf } from '../../listen.js'
import { check } from './options.js'

const cuttingProxyOptions = z.strictObject({
  target: z.url({ protocol: /^http$/ }).describe('http://HOST:PORT/…; its path is kept in the url of the proxy'),
  silentMs: z.number().positive().describe('A connection without traffic for this long is closed'),
  port: z.number().int().min(0).max(65_535).default(0),
})

interface CuttingProxy {
  readonly url: string
  readonly port: number
  /** Number of connections closed for being silent. */
  cuts(): number
  close(): Promise<void>
}

/** @throws {InvalidOptionError} an option is out of range · {EndpointError} the port cannot be listened on */
export async function startCuttingProxy(options: z.input<typeof cuttingProxyOptions>): Promise<CuttingProxy> {
  const { target, silentMs, port } = check(cuttingProxyOptions, options, 'cutting proxy')
  const to = new URL(target)
  const sockets = new Set<Socket>()
  let cuts = 0
  const server = createServer((client) => {
    const upstream = connect(Number(to.port || 80), to.hostname)
    const both = [client, upstream]
    const end = () => {
      clearTimeout(timer)
      for (const socket of both) socket.destroy()
    }
    const timer = setTimeout(() => {
      cuts++
      end()
    }, silentMs)
    for (const socket of both) {
      sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('data', () => timer.refresh())
      socket.on('error', end) // if either side closes, close the other
      socket.on('close', () => {
        sockets.delete(socket)
        end()
      })
    }
    client.pipe(upstream)
    upstream.pipe(client)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(new EndpointError(`cutting proxy: cannot listen on ${port}`, { cause })))
    server.listen(port, '127.0.0.1', resolve)
  })
  const bound = portOf(server)
  return {
    url: `http://127.0.0.1:${bound}${to.pathname.replace(/\/$/, '')}`,
    port: bound,
    cuts: () => cuts,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

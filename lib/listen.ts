/** Listens on a port, with a message for each refusal of the system. */
import type { Server } from 'node:http'
import { EndpointError } from './errors.js'

const refusals: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is in use. Give another --port, or 0 for a free port',
  EACCES: 'this user may not use the port. Give a --port from 1024, or 0 for a free port',
  EADDRNOTAVAIL: 'this machine does not have the address. Give one of its own, or 127.0.0.1',
  ENOTFOUND: 'the host name is unknown. Give an address of this machine, or 127.0.0.1',
  EAI_AGAIN: 'the host name cannot be looked up now. Give an address of this machine, or 127.0.0.1',
}

/**
 * Listens, and resolves with the port.
 *
 * @param port 0 takes a free port
 * @param backlog largest number of connections waiting to be accepted
 * @throws {EndpointError} the system refuses; the server is not listening then
 */
export async function listen(server: Server, host: string, port: number, backlog?: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    const refused = (cause: NodeJS.ErrnoException): void => {
      const why = refusals[cause.code ?? ''] ?? cause.message
      const details = { host, port, errno: cause.code ?? 'unknown' }
      reject(new EndpointError(`cannot listen on ${host}:${port}: ${why}`, { cause, details }))
    }
    server.once('error', refused)
    server.listen({ host, port, ...(backlog !== undefined && { backlog }) }, () => {
      server.off('error', refused)
      resolve()
    })
  })
  return portOf(server)
}

/** Returns the port of a server that listens on one. */
export function portOf(server: Pick<Server, 'address'>): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new EndpointError('the server does not listen on a port')
  return address.port
}

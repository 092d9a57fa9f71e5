/** How long is too long: of one request its deadline, of all servers the outage. Neither counts time it should not. */
import { OutageError, ServerError } from '../errors.js'
import type { Lane, Passage } from './ticket.js'

/** The end of a request that took too long; the time that its endpoint was out does not count. */
export function deadlineOver({ endpoint, sentAtMs, downMs, deadlineMs }: Passage, nowMs: number): ServerError | null {
  const spentMs = nowMs - sentAtMs - (endpoint.downMs(nowMs) - downMs)
  if (spentMs <= deadlineMs) return null
  const words = `no reply within ${deadlineMs} ms`
  return new ServerError(words, { details: { kind: 'deadline', words } })
}

/** The end of a run whose calls wait for servers that are all out, each without a reply for longer than `outageMaxMs`. */
export function outageOf({ queue, endpoints }: Lane, nowMs: number, outageMaxMs: number): OutageError | null {
  if (queue.size === 0 || !endpoints.every((endpoint) => endpoint.isDown)) return null
  const sinceMs = Math.max(...endpoints.map((endpoint) => endpoint.health.troubleSinceMs ?? nowMs))
  if (nowMs - sinceMs <= outageMaxMs) return null
  const names = endpoints.map((endpoint) => endpoint.label).join(', ')
  const seconds = Math.round((nowMs - sinceMs) / 1000)
  return new OutageError(`No model server answered for ${seconds} s: ${names}. Start it and run again to resume`)
}

/** What goes over the wire for waiting calls: one request for one, or one for several whose prompts fit a list. */

import type { Endpoint } from '../endpoint/endpoint.js'
import type { Transfer } from '../protocol/client.js'
import type { Ticket } from './pending-request.js'

/** Calls looked at for prompts that fit one list. */
const listCallsMax = 64

/** The ticket, and others of its queue that may share its request, taken out. */
export function withFitting(ticket: Ticket): Ticket[] {
  // One that failed goes alone: in a list it would fail the others, and be looked for by halving again.
  if (ticket.listKey === null || ticket.failures > 0) return [ticket]
  const { lane, promptsMax } = ticket.model
  const fits = (other: Ticket) =>
    other.failures === 0 && other.model === ticket.model && other.listKey === ticket.listKey
  return [ticket, ...lane.queue.takeMore(ticket.call.stageOrder, promptsMax - 1, listCallsMax, fits)]
}

/** A list is not streamed. */
export function transferOf(tickets: readonly Ticket[], endpoint: Endpoint): Transfer {
  const [first] = tickets as readonly [Ticket, ...Ticket[]]
  const { options, headers } = first.model
  const single = tickets.length === 1
  const body = first.body()
  if (!single) body.prompt = tickets.map((ticket) => ticket.call.request.prompt ?? '')
  return {
    kind: first.call.request.kind,
    body,
    prompts: tickets.length,
    headers,
    ...(single && first.key !== '' && { key: first.key }),
    stream: single && options.stream,
    onModel: (name) => endpoint.answeredBy(options.model, name),
  }
}

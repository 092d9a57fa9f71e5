/** Requests that a server failed, waiting to be asked again: how long each, and which are due. No slot is held meanwhile. */
import type { Clock } from '../core/types.js'
import type { Endpoint } from './endpoint.js'
import type { Ticket } from './ticket.js'

/** Half to all of 250 ms · 2^n, at most 30 s; not less than the server asked for. */
const BACKOFF_MS = 250
const BACKOFF_MAX_MS = 30_000

/**
 * Requests that wait to be asked again: half to all of 250 ms · 2^failures, at most 30 s, never less than the server
 * asked for.
 */
export class BackOff {
  readonly #tickets = new Set<Ticket>()

  constructor(
    private readonly clock: Clock,
    private readonly random: () => number,
  ) {}

  get size(): number {
    return this.#tickets.size
  }

  add(ticket: Ticket, endpoint: Endpoint, retryAfterMs: number): void {
    const nowMs = this.clock.now()
    const backoffMs = Math.min(BACKOFF_MAX_MS, BACKOFF_MS * 2 ** Math.min(ticket.failures - 1, 16))
    const waitMs = Math.max(retryAfterMs, backoffMs * (0.5 + this.random() / 2))
    ticket.dueMs = nowMs + waitMs + endpoint.health.retryWaitMs(nowMs)
    this.#tickets.add(ticket)
  }

  /** Takes out those whose time has come. */
  takeDue(nowMs: number): Ticket[] {
    return this.takeAll((ticket) => ticket.dueMs <= nowMs)
  }

  takeAll(leaves: (ticket: Ticket) => boolean): Ticket[] {
    const taken = [...this.#tickets].filter(leaves)
    for (const ticket of taken) this.#tickets.delete(ticket)
    return taken
  }
}

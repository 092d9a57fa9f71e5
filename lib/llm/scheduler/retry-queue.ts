/**
 * Retry queue: failed requests and when each is due. They hold no slot while they wait.
 *
 * A request that failed several times is a suspect: it is retried only once another request that was sent after its
 * last failure has passed, so that each failure is evidence; or alone, when nothing else is in flight (trials.ts).
 */
import type { Clock } from '../../core/types.js'
import type { Endpoint } from '../endpoint/endpoint.js'
import type { Lane, Ticket } from './pending-request.js'

/** Half to all of 250 ms · 2^n, at most 30 s; not less than the server asked for. */
const firstBackoffMs = 250
const backoffMaxMs = 30_000
/** Shorter wait for suspects, ms: their retries decide about them. */
const suspectBackoffMaxMs = 4000
/** Failures that make a request a suspect. */
export const suspectFailures = 4

/**
 * Requests that wait to be retried: half to all of 250 ms · 2^failures, at most 30 s, never less than the server asked
 * for.
 */
export class BackOff {
  readonly #clock: Clock
  readonly #random: () => number
  readonly #tickets = new Set<Ticket>()

  constructor(clock: Clock, random: () => number) {
    this.#clock = clock
    this.#random = random
  }

  get size(): number {
    return this.#tickets.size
  }

  add(ticket: Ticket, endpoint: Endpoint, retryAfterMs: number): void {
    const nowMs = this.#clock.now()
    const maxMs = isSuspect(ticket) ? suspectBackoffMaxMs : backoffMaxMs
    const backoffMs = Math.min(maxMs, firstBackoffMs * 2 ** Math.min(ticket.failures - 1, 16))
    const waitMs = Math.max(retryAfterMs, backoffMs * (0.5 + this.#random() / 2))
    ticket.dueMs = nowMs + waitMs + endpoint.health.retryWaitMs(nowMs)
    this.#tickets.add(ticket)
  }

  /** Takes the requests that are due; of suspects only as many as their lane's window allows. */
  takeDue(nowMs: number): Ticket[] {
    return this.takeAll((ticket) => {
      if (ticket.dueMs > nowMs) return false
      if (!isSuspect(ticket)) return true
      const { lane } = ticket.model
      if (lane.isTrying || lane.suspectsOut >= lane.suspectsOutMax || !passedSince(ticket)) return false
      lane.suspectsOut++
      ticket.letOut = true
      return true
    })
  }

  /** Returns the suspect of a lane that is due first, without removing it; null if none is due. */
  firstSuspect(lane: Lane, nowMs: number): Ticket | null {
    let first: Ticket | null = null
    for (const ticket of this.#tickets) {
      if (ticket.model.lane !== lane || ticket.dueMs > nowMs || !isSuspect(ticket)) continue
      if (first === null || ticket.dueMs < first.dueMs) first = ticket
    }
    return first
  }

  /** Returns false if it was already removed. */
  take(ticket: Ticket): boolean {
    return this.#tickets.delete(ticket)
  }

  takeAll(leaves: (ticket: Ticket) => boolean): Ticket[] {
    const taken: Ticket[] = []
    for (const ticket of this.#tickets) {
      if (!leaves(ticket)) continue
      this.#tickets.delete(ticket)
      taken.push(ticket)
    }
    return taken
  }
}

/** A hanging request is not a suspect: it does not make other requests hang. */
export function isSuspect({ failures, failedAs }: Ticket): boolean {
  return failures >= suspectFailures && failedAs !== 'deadline'
}

/** Whether a request sent after the ticket's last failure has passed at one of its endpoints. */
function passedSince({ model, suspicion }: Ticket): boolean {
  return model.lane.endpoints.some(({ isDown, health }) => !isDown && health.newestPassSentMs >= suspicion.sinceMs)
}

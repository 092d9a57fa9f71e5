/**
 * Failed requests and when each is due. They hold no slot while they wait.
 *
 * A request that failed several times is a suspect: it is retried only once another request that was sent after its
 * last failure has passed, so that each failure is evidence; or alone, when nothing else is in flight (dispatcher.ts).
 */
import { seededRandom } from '../../core/random.js'
import type { Endpoint } from '../endpoint/endpoint.js'
import type { EndpointGroup, PendingRequest } from './pending-request.js'

/** Back-off: half to all of 250 ms · 2^n, at most 30 s, but not less than the server requested. */
const firstBackoffMs = 250
const backoffMaxMs = 30_000
/** Shorter wait for suspects, ms: their retries decide about them. */
const suspectBackoffMaxMs = 4000
/** Failures that make a request a suspect. */
const suspectFailures = 4

/** Retry queue: failed requests that wait for their back-off. */
export class RetryQueue {
  /** Any constant seed will do: the order in which requests fail differs from process to process. */
  readonly #jitter = seededRandom(1)
  readonly #requests = new Set<PendingRequest>()

  get size(): number {
    return this.#requests.size
  }

  add(request: PendingRequest, endpoint: Endpoint, retryAfterMs: number, nowMs: number): void {
    const maxMs = isSuspect(request) ? suspectBackoffMaxMs : backoffMaxMs
    const backoffMs = Math.min(maxMs, firstBackoffMs * 2 ** Math.min(request.failures - 1, 16))
    const waitMs = Math.max(retryAfterMs, backoffMs * (0.5 + this.#jitter() / 2))
    request.dueMs = nowMs + waitMs + endpoint.health.retryWaitMs(nowMs)
    this.#requests.add(request)
  }

  /** Takes the requests that are due; of suspects only as many as the window of their group allows. */
  takeDue(nowMs: number): PendingRequest[] {
    return this.takeAll((request) => {
      if (request.dueMs > nowMs) return false
      if (!isSuspect(request)) return true
      const { group } = request.model
      if (group.isTryingAlone || group.suspectWindowUsed >= group.suspectWindow || !passedSince(request)) return false
      group.suspectWindowUsed++
      request.inSuspectWindow = true
      return true
    })
  }

  /** Returns the suspect of a group that is due first, without removing it; null if none is due. */
  firstSuspect(group: EndpointGroup, nowMs: number): PendingRequest | null {
    let first: PendingRequest | null = null
    for (const request of this.#requests) {
      if (request.model.group !== group || request.dueMs > nowMs || !isSuspect(request)) continue
      if (first === null || request.dueMs < first.dueMs) first = request
    }
    return first
  }

  /** Returns false if it was already removed. */
  take(request: PendingRequest): boolean {
    return this.#requests.delete(request)
  }

  takeAll(leaves: (request: PendingRequest) => boolean): PendingRequest[] {
    const taken: PendingRequest[] = []
    for (const request of this.#requests) {
      if (!leaves(request)) continue
      this.#requests.delete(request)
      taken.push(request)
    }
    return taken
  }
}

/** A hanging request is not a suspect: it does not make other requests hang. */
export function isSuspect({ failures, lastFailure }: PendingRequest): boolean {
  return failures >= suspectFailures && lastFailure !== 'deadline'
}

/** Whether a request sent after the request's last failure has passed at one of its endpoints. */
function passedSince({ model, suspicion }: PendingRequest): boolean {
  return model.group.endpoints.some(({ isDown, health }) => !isDown && health.newestPassSentMs >= suspicion.sinceMs)
}

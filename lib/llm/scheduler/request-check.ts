/**
 * Whether the server accepts the form of a stage's requests: a request of the same form that is known to be good, or has
 * a harmless text, distinguishes a form or a server that refuses everything from a refused record. It is sent after each
 * refusal, because the server may have changed since an earlier request passed.
 */

import type { Endpoint } from '../endpoint/endpoint.js'
import type { Call } from '../types.js'
import type { ScheduledModel } from './pending-request.js'

/** Sends a good request of the same form. Returns false if it is refused; throws if there is no response. */
type HarmlessCheck = (call: Call, model: ScheduledModel, endpoint: Endpoint, signal: AbortSignal) => Promise<boolean>

/** Time limit of its response, ms. */
const answerDeadlineMs = 60_000
/** Refusals after which a form counts as refused. */
const confirmationsMin = 2

/** Which forms of request each endpoint accepts now. */
export class RequestCheck {
  readonly #ask: HarmlessCheck
  /** Checks in progress. */
  readonly #running = new Map<string, Promise<boolean>>()
  /** Checks that start after the one in progress: for refusals received after that one was sent. */
  readonly #next = new Map<string, Promise<boolean>>()

  constructor(ask: HarmlessCheck) {
    this.#ask = ask
  }

  /** Whether the server accepts the form of a call that it has just refused. Concurrent refusals share a check. */
  isAccepted(call: Call, model: ScheduledModel, endpoint: Endpoint): Promise<boolean> {
    const name = `${endpoint.label}\n${model.options.model}\n${call.stage}`
    let next = this.#next.get(name)
    if (next === undefined) {
      next = this.#after(this.#running.get(name), () => {
        this.#next.delete(name)
        const check = this.#confirmed(call, model, endpoint).finally(() => {
          if (this.#running.get(name) === check) this.#running.delete(name)
        })
        this.#running.set(name, check)
        return check
      })
      this.#next.set(name, next)
    }
    return next
  }

  async #after(earlier: Promise<boolean> | undefined, check: () => Promise<boolean>): Promise<boolean> {
    await Promise.allSettled([earlier])
    return check()
  }

  async #confirmed(call: Call, model: ScheduledModel, endpoint: Endpoint): Promise<boolean> {
    for (let refusals = 0; refusals < confirmationsMin; refusals++) {
      const ask = (signal: AbortSignal) => this.#ask(call, model, endpoint, signal)
      if (await endpoint.withDeadline(answerDeadlineMs, ask)) return true
    }
    return false
  }
}

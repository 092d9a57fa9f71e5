/**
 * Whether the server accepts the form of a stage's requests: the same request with a harmless text distinguishes a form
 * that is always refused from a refused record. Checked at the first refusal, and again whenever refusals cluster:
 * otherwise a server that changes its behaviour would cost every later record.
 */

import { formOf, type RequestForm, type SentModel } from '../scheduler/pending-request.js'
import type { Call } from '../types.js'
import type { Endpoint } from './endpoint.js'

/** Sends the same request with a harmless text. Returns false if it is refused; throws if there is no response. */
export type FormPasses = (call: Call, model: SentModel, endpoint: Endpoint, signal: AbortSignal) => Promise<boolean>

/** Refusals in a row, or more than half of the last outcomes, after which the form is checked again. */
const REFUSALS_IN_ROW_MAX = 3
const OUTCOMES_MAX = 16
/** Time for a harmless request's answer, ms. */
const ANSWER_DEADLINE_MS = 60_000
/** Refusals after which a form counts as refused. */
const CONFIRMATIONS = 2

/** Which forms of request each endpoint accepts. */
export class RequestForms {
  readonly #known = new Map<string, boolean>()
  readonly #asking = new Map<string, Promise<boolean>>()

  constructor(private readonly ask: FormPasses) {}

  /**
   * Whether the server accepts the form of a refused call; sends a request if that is unknown or doubtful.
   *
   * @param namesField the refusal names a field of the form: discards what was known about the form
   */
  async passes(call: Call, model: SentModel, endpoint: Endpoint, namesField = false): Promise<boolean> {
    const name = `${endpoint.label}\n${model.options.model}\n${call.stage}`
    const form = formOf(model, call.stage)
    noteRefusal(form)
    const known = namesField || isDoubtful(form) ? undefined : this.#known.get(name)
    if (known !== undefined) return known
    const asking = this.#asking.get(name) ?? this.#confirmed(call, model, endpoint)
    this.#asking.set(name, asking)
    try {
      const passes = await asking
      this.#known.set(name, passes)
      return passes
    } finally {
      // A failure without response is thrown and not cached.
      this.#asking.delete(name)
    }
  }

  async #confirmed(call: Call, model: SentModel, endpoint: Endpoint): Promise<boolean> {
    for (let refusals = 0; refusals < CONFIRMATIONS; refusals++) {
      const ask = (signal: AbortSignal) => this.ask(call, model, endpoint, signal)
      if (await endpoint.limited(ANSWER_DEADLINE_MS, ask)) return true
    }
    return false
  }
}

/** A call of the form succeeded. */
export function noteSuccess(form: RequestForm): void {
  form.refusalsInRow = 0
  note(form, false)
}

function noteRefusal(form: RequestForm): void {
  form.refusalsInRow++
  note(form, true)
}

function note({ recentRefusals }: RequestForm, refused: boolean): void {
  recentRefusals.push(refused)
  if (recentRefusals.length > OUTCOMES_MAX) recentRefusals.shift()
}

function isDoubtful({ refusalsInRow, recentRefusals }: RequestForm): boolean {
  if (refusalsInRow >= REFUSALS_IN_ROW_MAX) return true
  return recentRefusals.length >= OUTCOMES_MAX && recentRefusals.filter(Boolean).length * 2 > OUTCOMES_MAX
}

/**
 * Whether a stage's requests are such that the server takes them at all: the same with a harmless text tells a request
 * that is refused whatever the record from a record that is refused. Found out at the first refusal, and again whenever
 * refusals cluster: a server that changed its mind would otherwise cost every record that follows.
 */
import type { Endpoint } from './endpoint.js'
import { formOf, type RequestForm, type SentModel } from './ticket.js'
import type { Call } from './types.js'

/** Sends the same request with a harmless text. False when it is refused; throws where it gets no answer. */
export type FormPasses = (call: Call, model: SentModel, endpoint: Endpoint, signal: AbortSignal) => Promise<boolean>

/** Refusals in a row, or more than half of the last outcomes, that make the form doubtful. */
const REFUSALS_IN_ROW_MAX = 3
const OUTCOMES_MAX = 16
/** Time for a harmless request's answer, ms. */
const ANSWER_DEADLINE_MS = 60_000
/** A form counts as refused when it is so often. */
const CONFIRMATIONS = 2

/** Which forms of request each endpoint takes. */
export class RequestForms {
  readonly #known = new Map<string, boolean>()
  readonly #asking = new Map<string, Promise<boolean>>()

  constructor(private readonly ask: FormPasses) {}

  /**
   * Whether the form of a refused call is one that the server accepts; asks where that is unknown or doubtful.
   *
   * @param namesField the refusal names a field of the form: what was known of the form no longer counts
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
      // What a server's failure to answer throws is not remembered.
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

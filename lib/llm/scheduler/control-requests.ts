/**
 * Control requests: sent beside a failing record to distinguish a failure of the server from one of the record.
 *
 * The best control is a request of the same form that succeeded before, repeated with a short reply. Where none is
 * known, a harmless text in the same form is used; its success is weaker evidence, so its verdicts are limited.
 */
import type { Clock } from '../../core/types.js'
import { RequestRefusedError } from '../../errors.js'
import type { Endpoint } from '../endpoint/endpoint.js'
import type { Call } from '../types.js'
import { type Control, type ControlOutcome, formOf, type Lane, type SentModel, type Ticket } from './pending-request.js'
import type { FormPasses } from './request-check.js'

/** Time for a control request's reply, ms. */
const controlDeadlineMs = 60_000
/** Tokens of its reply: enough to exercise decoding, few enough to be cheap. */
const controlTokensMax = 16
/** Failing records, and verdicts in a row, that a harmless request may decide; more failures mean the server. */
const weakVerdictsMax = 8

/** Sends control requests: at most one at a time for each endpoint, model and stage. */
export class Controls {
  readonly #clock: Clock
  readonly #formPasses: FormPasses
  readonly #asking = new Map<string, Promise<ControlOutcome>>()

  constructor(clock: Clock, formPasses: FormPasses) {
    this.#clock = clock
    this.#formPasses = formPasses
  }

  /** Sends the control of a ticket's form to an endpoint; returns a failure as an outcome and notes its text there. */
  ask(ticket: Ticket, endpoint: Endpoint): Promise<ControlOutcome> {
    const name = `${endpoint.label}\n${ticket.model.options.model}\n${ticket.call.stage}`
    const asking = this.#asking.get(name)
    if (asking !== undefined) return asking
    const asked = this.#ask(ticket, endpoint).finally(() => this.#asking.delete(name))
    this.#asking.set(name, asked)
    return asked
  }

  /** Sends the control of a form, or the harmless request if none is known. Returns false if it is refused. */
  async passes(call: Call, model: SentModel, endpoint: Endpoint, signal: AbortSignal): Promise<boolean> {
    const { control } = formOf(model, call.stage)
    if (control === null) return this.#formPasses(call, model, endpoint, signal)
    try {
      await this.#send(control, model, endpoint, signal, true)
      return true
    } catch (error) {
      // Moderation of a text that passed before is not a refusal of the form.
      if (error instanceof RequestRefusedError) return error.details.reason === 'content-refused'
      throw error
    }
  }

  async #send(
    { call, body }: Control,
    { headers, options }: SentModel,
    endpoint: Endpoint,
    signal: AbortSignal,
    isShort: boolean,
  ): Promise<void> {
    const { kind } = call.request
    const sent = isShort ? shortened(body()) : body()
    await endpoint.client.send({ kind, body: sent, prompts: 1, headers, stream: options.stream }, signal)
  }

  async #ask(ticket: Ticket, endpoint: Endpoint): Promise<ControlOutcome> {
    const { call, model } = ticket
    const { control } = formOf(model, call.stage)
    if (control === null) {
      const passed = await endpoint.within(controlDeadlineMs, (signal) =>
        this.#formPasses(call, model, endpoint, signal),
      )
      return passed ? 'weak' : 'failed'
    }
    const sentAtMs = this.#clock.now()
    // A deadline that is too short for this record must suffice for the same work on another.
    const isWhole = ticket.failedAs === 'deadline'
    const deadlineMs = isWhole ? model.options.deadlineMs : controlDeadlineMs
    const passed = await endpoint.within(deadlineMs, async (signal) => {
      await this.#send(control, model, endpoint, signal, !isWhole)
      return true
    })
    endpoint.health.controlled(passed, sentAtMs)
    return passed ? 'passed' : 'failed'
  }
}

/** Whether the harmless request may decide about a record of this lane: few fail and nothing else can be tried. */
export function weakControlDecides({ failing, queue, weakVerdicts }: Lane): boolean {
  return failing <= weakVerdictsMax && queue.size === 0 && weakVerdicts < weakVerdictsMax
}

function shortened(body: Record<string, unknown>): Record<string, unknown> {
  for (const field of ['max_tokens', 'max_completion_tokens']) {
    const tokens = body[field]
    if (typeof tokens === 'number') body[field] = Math.min(tokens, controlTokensMax)
  }
  return body
}

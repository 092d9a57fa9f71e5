/**
 * Control requests: sent beside a failing record, to distinguish a failure of the server from one of the record.
 *
 * The best control is a request of the same form that succeeded before, repeated with a short reply. Where none is
 * known, a harmless text in the same form is used; its success is weaker evidence, so its verdicts are limited.
 */
import type { Clock } from '../../core/types.js'
import { RequestRefusedError } from '../../errors.js'
import { acceptedBody, harmlessRequest } from '../endpoint/capabilities.js'
import type { Endpoint } from '../endpoint/endpoint.js'
import { requestBody } from '../protocol/reply-body.js'
import type { Call } from '../types.js'
import {
  type ControlOutcome,
  type EndpointGroup,
  formState,
  type PendingRequest,
  type ScheduledModel,
} from './pending-request.js'

/** Time for a control request's reply, ms. */
const controlDeadlineMs = 60_000
/** Tokens of its reply: enough to exercise decoding, few enough to be cheap. */
const controlTokensMax = 16
/** Failing records, and verdicts in a row, that a harmless request may decide; more failures mean the server. */
const weakVerdictsMax = 8

/** Sends control requests: at most one at a time for each endpoint, model and stage. */
export class ControlRequests {
  readonly #clock: Clock
  readonly #pending = new Map<string, Promise<ControlOutcome>>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Sends the control of a request's form to an endpoint; a failure is an outcome, and its text is recorded. */
  send(request: PendingRequest, endpoint: Endpoint): Promise<ControlOutcome> {
    const name = `${endpoint.label}\n${request.model.options.model}\n${request.call.stage}`
    const asking = this.#pending.get(name)
    if (asking !== undefined) return asking
    const asked = this.#sendControl(request, endpoint).finally(() => this.#pending.delete(name))
    this.#pending.set(name, asked)
    return asked
  }

  /** Sends the control of a form, or the harmless request if none is known. Returns false if it is refused. */
  async passes(call: Call, model: ScheduledModel, endpoint: Endpoint, signal: AbortSignal): Promise<boolean> {
    const { control } = formState(model, call.stage)
    return control === null
      ? isAccepted(call, harmlessBody(call, model), model, endpoint, signal)
      : isAccepted(control.call, shortened(control.body()), model, endpoint, signal)
  }

  async #sendControl(request: PendingRequest, endpoint: Endpoint): Promise<ControlOutcome> {
    const { call, model } = request
    const { control } = formState(model, call.stage)
    if (control === null) {
      const passed = await endpoint.succeedsWithin(controlDeadlineMs, (signal) =>
        isAccepted(call, harmlessBody(call, model), model, endpoint, signal),
      )
      return passed ? 'weak' : 'failed'
    }
    const sentAtMs = this.#clock.now()
    // A deadline that is too short for this record must suffice for the same work on another.
    const isWhole = request.lastFailure === 'deadline'
    const deadlineMs = isWhole ? model.options.deadlineMs : controlDeadlineMs
    const passed = await endpoint.succeedsWithin(deadlineMs, async (signal) => {
      const body = control.body()
      await send(control.call, isWhole ? body : shortened(body), model, endpoint, signal)
      return true
    })
    endpoint.health.noteControl(passed, sentAtMs)
    return passed ? 'passed' : 'failed'
  }
}

/** Whether the harmless request may decide about a record of this group: few fail and nothing else can be tried. */
export function weakControlDecides({ failing, queue, weakVerdicts }: EndpointGroup): boolean {
  return failing <= weakVerdictsMax && queue.size === 0 && weakVerdicts < weakVerdictsMax
}

async function isAccepted(...request: Parameters<typeof send>): Promise<boolean> {
  try {
    await send(...request)
    return true
  } catch (error) {
    // Moderation of a text that is harmless, or passed before, is not a refusal of the form.
    if (error instanceof RequestRefusedError) return error.details.reason === 'content-refused'
    throw error
  }
}

async function send(
  { request }: Call,
  body: Record<string, unknown>,
  { headers, options }: ScheduledModel,
  endpoint: Endpoint,
  signal: AbortSignal,
): Promise<void> {
  const { kind, streamed } = request
  const stream = options.stream && streamed !== false
  await endpoint.client.send({ kind, body, prompts: 1, headers, stream }, signal)
}

/** Body of a request with a harmless text in the form of the call. */
function harmlessBody({ request }: Call, { options, capabilities }: ScheduledModel): Record<string, unknown> {
  return acceptedBody(requestBody(harmlessRequest(request), options, 1), capabilities)
}

function shortened(body: Record<string, unknown>): Record<string, unknown> {
  for (const field of ['max_tokens', 'max_completion_tokens']) {
    const tokens = body[field]
    if (typeof tokens === 'number') body[field] = Math.min(tokens, controlTokensMax)
  }
  return body
}

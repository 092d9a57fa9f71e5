/** A call from its submission to its result: it waits in a queue, is sent, and is retried under the same key. */

import type { CallResult } from '../../storage/replies/types.js'
import type { Endpoint, SentRequest } from '../endpoint/endpoint.js'
import { RecordSuspicion } from '../endpoint/health.js'
import type { ModelOptions } from '../options.js'
import type { FailureKind } from '../protocol/failures.js'
import type { Call, Capabilities } from '../types.js'
import type { WaitingQueue } from './waiting-queue.js'

/** Suspects in flight beside other requests of a group: at first, and at most. */
const suspectWindowStart = 4
const suspectWindowMax = 1024

/** The endpoints of one or more models, with their shared queue and slots. */
export class EndpointGroup {
  /** Calls that are not settled. */
  pending = 0
  /** Calls among them that failed at least once. */
  failing = 0
  /** Requests in flight. */
  inFlight = 0
  /** Time of the last settled call, or of the first one after none was pending, ms. */
  progressAtMs = 0
  /** The longest deadline of its models, ms. */
  deadlineMs = 0
  /** Suspects in flight or queued beside other requests, and their limit. */
  suspectWindowUsed = 0
  suspectWindow = suspectWindowStart
  /** A suspect is being tried alone. */
  isTryingAlone = false
  /** The request that succeeded last, of any model and stage. */
  good: { readonly call: Call; readonly model: ScheduledModel } | null = null
  /** Verdicts since the last success that rest on the harmless request alone. */
  weakVerdicts = 0

  constructor(
    readonly queue: WaitingQueue<PendingRequest>,
    /** Changed by `add` and `remove` only. */
    readonly endpoints: Endpoint[],
  ) {}

  /** Since when it has had no endpoint, ms; null if it has one. */
  emptySinceMs: number | null = null

  add(endpoint: Endpoint): void {
    if (!this.endpoints.includes(endpoint)) this.endpoints.push(endpoint)
    this.emptySinceMs = null
  }

  /** Removes an endpoint, which receives no further request; null if there is none with this name. */
  remove(label: string, nowMs: number): Endpoint | null {
    const index = this.endpoints.findIndex((endpoint) => endpoint.label === label)
    const [removed = null] = index < 0 ? [] : this.endpoints.splice(index, 1)
    if (this.endpoints.length === 0) this.emptySinceMs ??= nowMs
    return removed
  }

  /** Doubles the window if the server was unharmed; halves it after a broken connection, which may mean a crash. */
  adjustSuspectWindow(harmless: boolean): void {
    this.suspectWindow = harmless
      ? Math.min(suspectWindowMax, this.suspectWindow * 2)
      : Math.max(1, this.suspectWindow >> 1)
  }
}

/** A call that succeeded: repeated to compare with one that fails. */
interface Control {
  readonly call: Call
  readonly body: () => Record<string, unknown>
}

/** State of one form of request: a model at one stage. */
export interface FormState {
  /** The call that succeeded last. */
  control: Control | null
}

/** A model as the dispatcher sees it. */
export interface ScheduledModel {
  readonly options: ModelOptions
  readonly headers: Readonly<Record<string, string>>
  readonly group: EndpointGroup
  /** Prompts in one request: 1 if the server accepts no lists. */
  readonly promptsMax: number
  readonly capabilities: Capabilities
  /** By stage. */
  readonly forms: Map<string, FormState>
}

/** Returns the state of the requests of a model at a stage; empty at first. */
export function formState({ forms }: ScheduledModel, stage: string): FormState {
  let form = forms.get(stage)
  if (form === undefined) {
    form = { control: null }
    forms.set(stage, form)
  }
  return form
}

/** A submitted call: where it failed, when it may be retried, and how to settle it. */
export class PendingRequest {
  readonly suspicion = new RecordSuspicion()
  failures = 0
  lastFailure: FailureKind | null = null
  /** A suspect in flight or queued beside other requests. */
  inSuspectWindow = false
  /** Endpoint where it failed last; another one is preferred. */
  failedAt: Endpoint | null = null
  /** Earliest time of the next try, ms. */
  dueMs = 0
  /** Requests with equal keys may share one request; null if the prompt must be sent alone. */
  readonly listKey: string | null
  /** UTF-16 units of its prompt. */
  readonly promptUnits: number

  constructor(
    readonly call: Call,
    readonly model: ScheduledModel,
    readonly body: () => Record<string, unknown>,
    /** Key of its reply, in hex; '' if replies are not stored. */
    readonly key: string,
    readonly settle: (outcome: CallResult) => void,
    readonly reject: (error: unknown) => void,
  ) {
    this.listKey = listKey(call, model)
    this.promptUnits = unitsOf(call)
  }
}

function unitsOf({ request: { prompt = '', messages = [] } }: Call): number {
  return messages.reduce((sum, { content }) => sum + content.length, prompt.length)
}

/** Outcome of a control request. 'weak': no request of the form is known to pass, but a harmless one did. */
export type ControlOutcome = 'passed' | 'weak' | 'failed'

/** An HTTP request in flight: one call, or several whose prompts are sent as a list. */
export interface SentBatch extends SentRequest {
  readonly requests: readonly PendingRequest[]
  readonly endpoint: Endpoint
  readonly controller: AbortController
  /** Total time that the endpoint had been down when it was sent, ms. */
  readonly downMs: number
  readonly deadlineMs: number
  /** Outcome of the control request before a request sent alone; 'unknown' if the control follows, null if not alone. */
  readonly alone: ControlOutcome | 'unknown' | null
}

/** Returns a key only for one-token completions at temperature 0: a list has one seed and one set of sampling fields. */
function listKey({ request, stage }: Call, model: ScheduledModel): string | null {
  const { sampling } = request
  if (model.promptsMax < 2 || request.kind !== 'completion') return null
  if (sampling.max_tokens !== 1 || sampling.temperature !== 0) return null
  return `${stage}\n${JSON.stringify(sampling)}`
}

/** One attempt of a call on its way: what waits in a queue, is sent, fails and is sent again under the same key. */

import type { CallResult } from '../../storage/replies/types.js'
import type { Endpoint, SentRequest } from '../endpoint/endpoint.js'
import { RecordSuspicion } from '../endpoint/health.js'
import type { ModelOptions } from '../options.js'
import type { FailureKind } from '../protocol/failures.js'
import type { Call, Capabilities } from '../types.js'
import type { WaitingQueue } from './waiting-queue.js'

/** Suspects in flight beside other requests of a group, at first. */
const suspectWindowStart = 4
/** And at most: no more than an endpoint gets of anything. */
const suspectWindowMax = 1024

/** Models that use the same endpoints share a queue and the slots. */
export class EndpointGroup {
  /** Calls that are not settled. */
  pending = 0
  /** Calls among them that failed at least once. */
  failing = 0
  /** Requests in flight. */
  inFlight = 0
  /** When a call was settled last, or the first one came after none was pending, ms. */
  progressAtMs = 0
  /** The longest deadline of its models, ms. */
  deadlineMs = 0
  /** Suspects in flight or queued beside other requests, and how many may be. */
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
    readonly endpoints: readonly Endpoint[],
  ) {}

  /** Doubled by an outcome that left the server unharmed, halved by a broken connection: it may have killed the server. */
  adjustSuspectWindow(harmless: boolean): void {
    this.suspectWindow = harmless
      ? Math.min(suspectWindowMax, this.suspectWindow * 2)
      : Math.max(1, this.suspectWindow >> 1)
  }
}

/** A call that succeeded: repeated to compare with one that fails. */
export interface Control {
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
  /** Prompts in one request: 1 where the server takes no lists. */
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

/** One call on its way: where it was tried, when it may be tried again, and who waits for it. */
export class PendingRequest {
  readonly suspicion = new RecordSuspicion()
  failures = 0
  lastFailure: FailureKind | null = null
  /** A suspect in flight or queued beside other requests. */
  inSuspectWindow = false
  /** Where it failed last: tried elsewhere when there is an elsewhere. */
  failedAt: Endpoint | null = null
  /** When it may be asked again, ms. */
  dueMs = 0
  /** Same words: may share a request. Null where every prompt goes alone. */
  readonly listKey: string | null

  constructor(
    readonly call: Call,
    readonly model: ScheduledModel,
    readonly body: () => Record<string, unknown>,
    /** What its reply is kept under, in hex; '' where none is kept. */
    readonly key: string,
    readonly settle: (outcome: CallResult) => void,
    readonly reject: (error: unknown) => void,
  ) {
    this.listKey = listKey(call, model)
  }
}

/** How a control request ended: 'weak' where no request of the form is known to pass, and a harmless one did. */
export type ControlOutcome = 'passed' | 'weak' | 'failed'

/** A request on its way: one request, or several whose prompts go as a list. */
export interface SentBatch extends SentRequest {
  readonly requests: readonly PendingRequest[]
  readonly endpoint: Endpoint
  readonly controller: AbortController
  /** How long the endpoint had been out when it was sent. */
  readonly downMs: number
  readonly deadlineMs: number
  /** Sent alone, after this outcome of a control request; 'unknown' where that is to follow, null beside others. */
  readonly alone: ControlOutcome | 'unknown' | null
}

/** A list has one seed and one set of sampling fields: only one-token completions at temperature 0 may share it. */
function listKey({ request, stage }: Call, model: ScheduledModel): string | null {
  const { sampling } = request
  if (model.promptsMax < 2 || request.kind !== 'completion') return null
  if (sampling.max_tokens !== 1 || sampling.temperature !== 0) return null
  return `${stage}\n${JSON.stringify(sampling)}`
}

/** One attempt of a call on its way: what waits in a queue, is sent, fails and is sent again under the same key. */
import type { Endpoint } from './endpoint.js'
import { RecordSuspicion } from './health.js'
import type { ModelOptions } from './options.js'
import type { Call, Reply, Verdict } from './types.js'
import type { WaitingQueue } from './waiting-queue.js'

/** What an attempt comes to. */
export type Outcome = { readonly reply: Reply } | { readonly verdict: Verdict }

/** Models that use the same endpoints share a queue and the slots. */
export interface Lane {
  readonly queue: WaitingQueue<Ticket>
  readonly endpoints: readonly Endpoint[]
}

/** A model as the dispatcher sees it. */
export interface SentModel {
  readonly options: ModelOptions
  readonly headers: Readonly<Record<string, string>>
  readonly lane: Lane
  /** Prompts in one request: 1 where the server takes no lists. */
  readonly promptsMax: number
  /** Replied to a request at least once. */
  passed: boolean
}

/** One call on its way: where it was tried, when it may be tried again, and who waits for it. */
export class Ticket {
  readonly suspicion = new RecordSuspicion()
  failures = 0
  /** Where it failed last: tried elsewhere when there is an elsewhere. */
  avoid: Endpoint | null = null
  /** When it may be asked again, ms. */
  dueMs = 0
  /** Same words: may share a request. Null where every prompt goes alone. */
  readonly listKey: string | null

  constructor(
    readonly call: Call,
    readonly model: SentModel,
    readonly body: () => Record<string, unknown>,
    /** What its reply is kept under, in hex; '' where none is kept. */
    readonly key: string,
    readonly settle: (outcome: Outcome) => void,
    readonly reject: (error: unknown) => void,
  ) {
    this.listKey = listKey(call, model)
  }
}

/** A request on its way: one ticket, or several whose prompts go as a list. */
export interface Passage {
  readonly tickets: readonly Ticket[]
  readonly endpoint: Endpoint
  readonly controller: AbortController
  readonly sentAtMs: number
  /** How long the endpoint had been out when it was sent. */
  readonly downMs: number
  readonly deadlineMs: number
}

/** A list has one seed and one set of sampling fields: only one-token completions at temperature 0 may share it. */
function listKey({ request, stage }: Call, model: SentModel): string | null {
  const { sampling } = request
  if (model.promptsMax < 2 || request.kind !== 'completion') return null
  if (sampling.max_tokens !== 1 || sampling.temperature !== 0) return null
  return `${stage}\n${JSON.stringify(sampling)}`
}

/**
 * The interface between stages and models, independent of endpoints and slots: stages call `Model.ask`, which
 * serves stored replies, queues, sends, retries and stores.
 */
import type { Position } from '../core/types.js'
import type { Reply, Verdict } from '../storage/replies/types.js'
import type { PromptLogprobsForm } from './protocol/prompt-logprobs.js'

/** A request without `model` and transport fields. Its canonical JSON is part of a reply's key. */
export interface CompletionRequest {
  readonly kind: 'chat' | 'completion'
  /** For 'chat'. */
  readonly messages?: readonly { readonly role: 'system' | 'user' | 'assistant'; readonly content: string }[]
  /** For 'completion'. */
  readonly prompt?: string
  /** temperature, top_p, max_tokens, stop, logprobs …: all are sent, since the defaults of servers differ. */
  readonly sampling: Readonly<Record<string, unknown>>
  /** False: sent without `stream` whatever the model's options, because events do not have what is read from the reply. */
  readonly streamed?: false
}

/** A call of a stage about one record. */
export interface Call {
  /** Public id of the record (chunk or pair). */
  readonly record: string
  readonly position: Position
  /** 'label' | 'score' | 'polish' | … */
  readonly stage: string
  /** Stages with a higher number are served first: 0 label, 1 score, 2 polish. */
  readonly stageOrder: number
  readonly request: CompletionRequest
  /** Returns the fault of a reply ('empty', 'looping', 'cut-off' …) or null; a faulty one is requested again with another seed. */
  readonly fault: (reply: Reply) => Fault | null
  /**
   * Returns the request that follows a faulty reply, such as one that names the fault; null to give up. Deterministic,
   * because a resumed run derives the same requests from the stored replies. By default the same request.
   */
  readonly retry?: (fault: Fault, last: CompletionRequest) => CompletionRequest | null
  /** Returns what is stored and used of a reply. Deterministic; applied once, before `fault`. By default all of it. */
  readonly reduce?: (reply: Reply) => Reply
  readonly signal: AbortSignal
}

/** Fault of a reply: a stable word, with a detail if the beginning of the reply does not show it; or of its content. */
export type Fault = string | { readonly fault: string; readonly found: string } | ContentFault

/** Fault in the text of a reply that ended by itself. */
export interface ContentFault {
  /** A reject reason. */
  readonly reason: string
  /** Words or figures that show the fault; may be ''. */
  readonly found: string
  /** The text after repairs, which the reject shows in place of the reply. */
  readonly text: string
}

/**
 * Result of `ask`. A verdict depends on more than the data (tries used up, deadline exceeded, refused by the server),
 * so it is stored like a reply before it takes effect and is served from disk on resume.
 */
export type Answer = ({ readonly reply: Reply; readonly attempt: number } | { readonly verdict: Verdict }) & {
  /** True if every reply was stored: the result does not show the current state of the server. */
  readonly kept?: boolean
}

/** A model as stages see it. `ask` rejects only when the run ends or must end. */
export interface Model {
  readonly name: string
  readonly capabilities: Capabilities
  ask(call: Call): Promise<Answer>
}

/** Capabilities of a server: detected once, by effect, and pinned in run.json. An endpoint that lacks one is refused. */
export interface Capabilities {
  readonly server: string
  readonly contextTokensMax: number | null
  readonly metrics: boolean
  readonly promptLists: boolean
  readonly logprobs: boolean
  /** Number of log-probabilities of the first token to request; null if none are readable. */
  readonly topLogprobs: number | null
  /** Whether an opened assistant turn is continued, by fields in the request or by the server itself. */
  readonly continues: boolean
  /** Name of the field that limits the tokens of a reply. */
  readonly maxTokensField: 'max_tokens' | 'max_completion_tokens'
  readonly chatTemplateKwargs: boolean
  /** Sampling fields that the server ignores or refuses. */
  readonly unsupported: readonly string[]
  /** Forms in which it gives the log-probabilities of a prompt; absent if no stage needs them: they are not probed. */
  readonly promptLogprobs?: readonly PromptLogprobsForm[]
}

/**
 * What a stage asks of a model, and what it gets. Stages know neither endpoints nor slots:
 * they call `Model.ask`, which serves kept replies, queues, retries, and keeps what it receives.
 */
import type { Position } from '../core/types.js'
import type { Reply, Verdict } from '../storage/replies/types.js'

/** One request as it is sent, but for `model` and transport. Canonical JSON of it is part of a reply's key. */
export interface CompletionRequest {
  readonly kind: 'chat' | 'completion'
  /** For 'chat'. */
  readonly messages?: readonly { readonly role: 'system' | 'user' | 'assistant'; readonly content: string }[]
  /** For 'completion'. */
  readonly prompt?: string
  /** temperature, top_p, max_tokens, stop, logprobs …: every one is sent, servers have defaults of their own. */
  readonly sampling: Readonly<Record<string, unknown>>
}

/** One call about one record. */
export interface Call {
  /** Public id of the record (chunk or pair). */
  readonly record: string
  readonly position: Position
  /** 'label' | 'score' | 'polish' | … */
  readonly stage: string
  /** Later stages are served first: 0 label, 1 score, 2 polish. */
  readonly stageOrder: number
  readonly request: CompletionRequest
  /** Says what is wrong with a reply ('empty', 'looping', 'cut-off' …) or null; a bad one is asked again with another seed. */
  readonly fault: (reply: Reply) => Fault | null
  readonly signal: AbortSignal
}

/** Fault of a reply: a stable word, and a detail if the beginning of the reply does not show it. */
export type Fault = string | { readonly fault: string; readonly found: string }

/**
 * What `ask` comes to. A verdict is what the data alone does not determine (tries used up, deadline over, refused by
 * the server); it is kept like a reply before it takes effect, and served again on resume.
 */
export type Answer = ({ readonly reply: Reply; readonly attempt: number } | { readonly verdict: Verdict }) & {
  /** All of it was served from what is kept: it says nothing of the server as it is now. */
  readonly kept?: boolean
}

/** A model as stages see it. `ask` rejects only when the run ends or must end. */
export interface Model {
  readonly name: string
  readonly capabilities: Capabilities
  ask(call: Call): Promise<Answer>
}

/** Found once, by effect, and pinned in run.json: an endpoint that lacks one is refused, never degraded to. */
export interface Capabilities {
  readonly server: string
  readonly contextTokensMax: number | null
  readonly metrics: boolean
  readonly promptLists: boolean
  readonly logprobs: boolean
  /** Number of log-probabilities of the first token to request; null if none are readable. */
  readonly topLogprobs: number | null
  /** An opened turn of the assistant's is continued: by fields that are sent, or by the server itself. */
  readonly continues: boolean
  /** The name by which the server takes the limit of a reply's tokens. */
  readonly maxTokensField: 'max_tokens' | 'max_completion_tokens'
  readonly chatTemplateKwargs: boolean
  /** Sampling fields that the server takes no notice of or refuses. */
  readonly unsupported: readonly string[]
}

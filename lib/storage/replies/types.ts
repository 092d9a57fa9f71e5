/** Stored results of calls: replies and verdicts. */

/**
 * Reply of a model, possibly empty; `Call.fault` decides whether it is usable. JSON preserves it exactly, so that a reply
 * read from disk has the same faults as the original.
 */
export interface Reply {
  /** Without thoughts, if they can be separated (thoughts.ts). */
  readonly text: string
  /** 'stop' | 'length' | … as the server sent it; 'missing' if it sent none. */
  readonly finishReason: string
  readonly promptTokens: number
  readonly completionTokens: number
  /** The server sent no counts, or implausible ones. */
  readonly usageEstimated?: true
  /** The model wrote thoughts and nothing else. */
  readonly onlyThoughts?: true
  /** Top log-probabilities of the first token, if requested: token text → log-probability, null if invalid. */
  readonly firstTokenLogprobs?: Readonly<Record<string, number | null>>
  /** Of the tokens of the prompt, if requested. Not stored: `Call.reduce` replaces them by `promptEnds`. */
  readonly promptLogprobs?: PromptLogprobs
  /** Ends of the prompt with their log-probabilities, the longest first; none if no token has a value. */
  readonly promptEnds?: readonly PromptEnd[]
}

/** Two lists of the same length. */
export interface PromptLogprobs {
  /** Texts or ids; the same for a token wherever it is in a prompt. */
  readonly tokens: readonly string[]
  /** Null for the first token, and for an invalid value. */
  readonly logprobs: readonly (number | null)[]
}

/** The last tokens of a prompt. */
export interface PromptEnd {
  readonly tokens: number
  /** Sum of their log-probabilities. */
  readonly logprob: number
  /** Hash of the tokens, so that the ends of two prompts can be compared. */
  readonly hash: string
}

/** Final reason why a record has no reply. */
export interface Verdict {
  /** Reason of the reject, a stable word: 'empty-reply', 'context-length', 'deadline'. */
  readonly reason: string
  /** Error text of the server, shortened. */
  readonly detail: string
}

/** Stored result of a call. */
export type CallResult = { readonly reply: Reply } | { readonly verdict: Verdict }

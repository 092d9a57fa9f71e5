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

/** What is kept of a call: the reply of a model, or a verdict. */

/**
 * What a model wrote. Empty text is a reply; `Call.fault` decides whether it is usable. It survives JSON unchanged, so
 * that a reply from the log is judged like the original.
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
  /** The model thought and wrote nothing else. */
  readonly onlyThoughts?: true
  /** Top log-probabilities of the first token, if requested: token text → log-probability, null if invalid. */
  readonly firstTokenLogprobs?: Readonly<Record<string, number | null>>
}

/** Why there is no reply, and never will be. */
export interface Verdict {
  /** A stable word, the reason of the reject: 'empty-reply', 'context-length', 'deadline'. */
  readonly reason: string
  /** The server's words, shortened. */
  readonly detail: string
}

/** How a call ended. */
export type CallResult = { readonly reply: Reply } | { readonly verdict: Verdict }

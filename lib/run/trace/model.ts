/**
 * A model whose calls are recorded instead of sent: replies come from the replies of a run, or are placeholders, so that
 * the later prompts can be shown before anything is sent.
 */
import { acceptedBody } from '../../llm/endpoint/capabilities.js'
import type { ModelOptions } from '../../llm/options.js'
import { requestBody } from '../../llm/protocol/reply-body.js'
import { canonicalJson, replyKey, requestSeed } from '../../llm/protocol/request-identity.js'
import { completeCall, describedFault, faultOf } from '../../llm/scheduler/complete-call.js'
import type { Call, Capabilities, Model } from '../../llm/types.js'
import type { Replies } from '../../storage/replies/replies.js'
import type { Reply } from '../../storage/replies/types.js'

/** One request as it is sent, and what came back. */
export interface TracedRequest {
  readonly stage: string
  /** Id of the chunk or pair. */
  readonly record: string
  readonly attempt: number
  /** JSON body without its transport fields. */
  readonly body: Readonly<Record<string, unknown>>
  /** Null if no reply is stored; in a preview the reply is made up. */
  readonly reply: Reply | null
  /** Why the reply was not used, or why there is none. */
  readonly fault: { readonly reason: string; readonly found: string } | null
}

/** Thrown where a trace ends because the replies of a run do not have the next one. */
export class ReplyMissing extends Error {}

interface TraceModelOptions {
  readonly options: ModelOptions
  readonly capabilities: Capabilities
  /** Seed of the recipe. */
  readonly seed: number
  /** Null in a preview. */
  readonly replies: Pick<Replies, 'find'> | null
  /** Reply of a preview. */
  readonly placeholder: (stage: string) => Reply
  readonly onRequest: (request: TracedRequest) => void
}

export function traceModel(trace: TraceModelOptions): Model {
  const { options, capabilities, seed, replies, placeholder, onRequest } = trace
  const attemptOf = async (asked: Call, attempt: number) => {
    const { record, stage, request } = asked
    const body = requestBody(request, options, requestSeed(seed, record, stage, attempt))
    const traced = { stage, record, attempt, body: acceptedBody(body, capabilities) }
    if (replies === null) {
      const reply = placeholder(stage)
      onRequest({ ...traced, reply, fault: null })
      return { outcome: { reply }, kept: true }
    }
    const key = replyKey(record, stage, attempt, canonicalJson({ kind: request.kind, ...body }))
    const outcome = await replies.find(key)
    if (outcome === null) {
      onRequest({ ...traced, reply: null, fault: null })
      throw new ReplyMissing()
    }
    if ('verdict' in outcome) {
      const { reason, detail } = outcome.verdict
      onRequest({ ...traced, reply: null, fault: { reason, found: detail } })
      return { outcome, kept: true }
    }
    const fault = faultOf(asked, outcome.reply)
    const described = fault === null ? null : describedFault(fault, outcome.reply.text)
    onRequest({
      ...traced,
      reply: outcome.reply,
      fault: described && { reason: described.reason, found: described.found },
    })
    return { outcome, kept: true }
  }
  return {
    name: options.model,
    capabilities,
    ask: async (call) => {
      const used = replies === null ? { ...call, fault: () => null } : call
      return (await completeCall(used, options.triesMax, attemptOf)).answer
    },
  }
}

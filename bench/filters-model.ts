/**
 * A model that gives one reply to every request. It reads the reply from the body of a response and retries a faulty one
 * as the servers of a run do, so that the stages behave as in a run.
 */
import { firstTokenLogprobs } from '../lib/llm/protocol/logprobs.js'
import { buildReply } from '../lib/llm/protocol/reply-body.js'
import type { Answer, Call, Capabilities, Fault, Model } from '../lib/llm/types.js'
import type { Reply } from '../lib/storage/replies/types.js'
import type { ScriptedReply } from './filters-examples.js'

/** The default of `triesMax`. */
const triesMax = 3

/** Returns a model whose every reply is `scripted`; it gives log-probabilities if the reply has some. */
export function scriptedModel(scripted: ScriptedReply): Model {
  const reply = replyOf(scripted)
  const logprobs = scripted.top !== undefined
  return {
    name: 'scripted',
    capabilities: { ...capabilities, logprobs, topLogprobs: logprobs ? 20 : null },
    ask: async (call) => answerOf(call, reply),
  }
}

function answerOf(call: Call, reply: Reply): Answer {
  let { request } = call
  let verdict = { reason: '', detail: '' }
  for (let attempt = 0; attempt < triesMax; attempt++) {
    const fault = call.fault(reply)
    if (fault === null) return { reply, attempt }
    verdict = verdictOf(fault)
    const retried = call.retry === undefined ? request : call.retry(fault, request)
    if (retried === null) break
    request = retried
  }
  return { verdict }
}

function verdictOf(fault: Fault): { reason: string; detail: string } {
  if (typeof fault === 'string') return verdictOf({ fault, found: '' })
  if ('reason' in fault) return { reason: fault.reason, detail: fault.found }
  return { reason: fault.fault.endsWith('-reply') ? fault.fault : `${fault.fault}-reply`, detail: fault.found }
}

function replyOf({ text, finish, top }: ScriptedReply): Reply {
  const tokens = Object.entries(top ?? {}).map(([token, logprob]) => ({ token, logprob }))
  const first = { token: text, logprob: top?.[text] ?? tokens[0]?.logprob, top_logprobs: tokens }
  return buildReply({
    content: text,
    reasoning: '',
    reason: finish,
    logprobs: top === undefined ? undefined : firstTokenLogprobs({ content: [first] }),
    counted: { usage: { prompt_tokens: 1, completion_tokens: 1 }, prompts: 1, body: {}, place: 0 },
  })
}

const capabilities: Capabilities = {
  server: 'scripted',
  contextTokensMax: null,
  metrics: false,
  promptLists: false,
  logprobs: false,
  topLogprobs: null,
  continues: true,
  maxTokensField: 'max_tokens',
  chatTemplateKwargs: true,
  unsupported: [],
}

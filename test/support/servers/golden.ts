/** A server that replies to each record as fixtures/golden/ says, on top of the fake of vLLM, which answers its probes. */
import type { Test } from 'tap'
import { askedLogprobs, errorBody, isReplyPath, type Json, type Request, type Response } from './base.js'
import { vllmServer } from './vllm.js'

/** A reply that is more than its text. */
export interface RecordedReply {
  readonly text?: string | null
  /** 'stop' by default; null for none. */
  readonly finish?: string | null
  /** Thoughts beside the text, as a reasoning parser gives them. */
  readonly thoughts?: string
  /** Probabilities of the first token; null for a reply without them. */
  readonly probabilities?: Readonly<Record<string, number>> | null
  /** Refuses the request with this status. */
  readonly status?: number
  readonly error?: string
  readonly code?: string
}

/** The same reply each time, or one for each attempt; the last one repeats. */
type Recorded = string | RecordedReply | readonly (string | RecordedReply)[]

/** Replies of a record, by stage. */
export type RecordedReplies = Readonly<Record<string, Recorded>>

export interface GoldenDocument {
  readonly id: string
  readonly text: string
}

/** How a run asks: what a prompt is for. */
export interface GoldenForm {
  /** Beginning of the prompts of each stage. */
  readonly stages: Readonly<Record<string, string>>
  /** Finds the instruction in a prompt that has no text: the first group. */
  readonly instruction: RegExp
  /** Replies of records that have none of their own for the stage. */
  readonly otherwise: RecordedReplies
}

/** A request for a record. */
export interface Sent {
  readonly record: string
  readonly stage: string
  readonly body: Json
  readonly prompt: string
}

export interface GoldenServer {
  readonly url: string
  readonly sent: readonly Sent[]
  /** Requests for which no reply is recorded. */
  readonly unknown: readonly string[]
}

/** Letters of a text by which its record is recognised. */
const openingChars = 12

export async function goldenServer(
  t: Test,
  documents: readonly GoldenDocument[],
  replies: Readonly<Record<string, RecordedReplies>>,
  form: GoldenForm,
): Promise<GoldenServer> {
  const [sent, unknown]: [Sent[], string[]] = [[], []]
  const attempts = new Map<string, number>()
  const openings = documents
    .filter(({ id }) => Object.hasOwn(replies, id))
    .map(({ id, text }) => ({ id, text, opening: text.slice(0, openingChars) }))
  const server = await vllmServer(t, { model: 'golden' })

  /** The record whose text is in the prompt, or else the one whose recorded instruction is. */
  function recordOf(prompt: string): string | undefined {
    const found = openings.find(({ opening }) => prompt.includes(opening))
    if (found !== undefined) return found.id
    const instruction = form.instruction.exec(prompt)?.[1]
    if (instruction === undefined) return undefined
    return openings.find(({ id, text }) =>
      JSON.stringify(replies[id]?.label ?? text).includes(JSON.stringify(instruction).slice(1, -1)),
    )?.id
  }

  server.intercept = (request) => {
    if (!isReplyPath(request)) return null
    const stage = Object.keys(form.stages).find((name) => request.prompt.startsWith(form.stages[name] as string))
    if (stage === undefined) return null
    const record = recordOf(request.prompt)
    const recorded = (record === undefined ? undefined : replies[record]?.[stage]) ?? form.otherwise[stage]
    if (record === undefined || recorded === undefined) {
      unknown.push(`${stage} of ${record}: ${request.prompt.slice(-200)}`)
      return { status: 400, body: errorBody('no reply is recorded', 'BadRequestError', 400) }
    }
    sent.push({ record, stage, body: request.body, prompt: request.prompt })
    const key = `${stage} of ${record}`
    const attempt = attempts.get(key) ?? 0
    attempts.set(key, attempt + 1)
    const list = Array.isArray(recorded) ? recorded : [recorded]
    return responseTo(request, list[Math.min(attempt, list.length - 1)])
  }
  return { url: server.url, sent, unknown }
}

function responseTo(request: Request, recorded: string | RecordedReply): Response {
  const reply = typeof recorded === 'string' ? { text: recorded } : recorded
  if (reply.status !== undefined) {
    return { status: reply.status, body: errorBody(reply.error ?? '', 'Error', reply.code ?? null) }
  }
  const { finish: finish_reason = 'stop', thoughts, probabilities } = reply
  const isChat = request.path === '/chat/completions'
  const first = Object.keys(probabilities ?? {})[0] ?? ''
  const text = reply.text === undefined ? first : reply.text
  const logprobs = probabilities && askedLogprobs(request) !== undefined ? chatLogprobs(probabilities) : null
  const message = { role: 'assistant', content: text, ...(thoughts !== undefined && { reasoning_content: thoughts }) }
  const choice = { index: 0, ...(isChat ? { message } : { ...message, text }), finish_reason, logprobs }
  const completion_tokens = [...(text ?? '')].length + 1
  const usage = { prompt_tokens: 100, completion_tokens, total_tokens: 100 + completion_tokens }
  const object = isChat ? 'chat.completion' : 'text_completion'
  return { status: 200, body: { id: 'golden-1', object, model: 'golden', choices: [choice], usage } }
}

/** The most probable token first, as vLLM has it. */
function chatLogprobs(probabilities: Readonly<Record<string, number>>): Json {
  const top_logprobs = Object.entries(probabilities).map(([token, probability]) => ({
    token,
    logprob: Math.log(probability),
    bytes: [...Buffer.from(token)],
  }))
  return { content: [{ ...top_logprobs[0], top_logprobs }] }
}

/** vLLM: continues by fields, echoes, tokenizes, takes lists of prompts; flags that change what it answers. */
import type { Test } from 'tap'
import {
  askedLogprobs,
  errorBody,
  type FakeServer,
  fakeServer,
  isReplyPath,
  type Json,
  notFound,
  type Request,
  type Response,
  reply,
} from './base.js'

export interface VllmOptions {
  /** `--max-logprobs`. */
  readonly maxLogprobs?: number
  /** `--reasoning-parser`: the model thinks, whatever turn was opened for it, unless a template setting disables it. */
  readonly reasoning?: boolean
  /** `--served-model-name`; the first one answers for all. */
  readonly model?: string
  /** Names besides it. */
  readonly models?: readonly string[]
}

const metrics = 'vllm:num_requests_running{engine="0"} 1\nvllm:num_requests_waiting{engine="0"} 0\n'

export function vllmServer(t: Test, options: VllmOptions = {}): Promise<FakeServer> {
  const { maxLogprobs = 20, reasoning = false, models = [] } = options
  const { model = models[0] ?? 'qwen-x' } = options
  const badRequest = (message: string): Response => ({ status: 400, body: errorBody(message, 'BadRequestError', 400) })

  function completion(request: Request): Response {
    const { body, path } = request
    if (body.model !== model && !models.includes(String(body.model))) {
      return { status: 404, body: errorBody(`The model \`${body.model}\` does not exist.`, 'NotFoundError', 404) }
    }
    const logprobs = askedLogprobs(request)
    if (logprobs !== undefined && logprobs > maxLogprobs) {
      return badRequest(`Requested sample logprobs of ${logprobs}, which is greater than max allowed: ${maxLogprobs}`)
    }
    if (body.echo === true) return echo(body)
    const continues = body.continue_final_message === true
    if (continues && body.add_generation_prompt !== false) {
      return badRequest('Cannot set both `continue_final_message` and `add_generation_prompt` to True.')
    }
    const { enable_thinking: thinking = true } = (body.chat_template_kwargs ?? {}) as Json
    if (!reasoning || thinking === false || path === '/completions') return reply(request, { continues, logprobs })
    const isCut = Number(body.max_tokens) < 100
    const message = { reasoning_content: isCut ? '<think>' : '好的，我先想一想。' }
    return reply(request, {
      continues,
      logprobs,
      message,
      firstToken: '<think>',
      ...(isCut ? { content: null, finish: 'length' } : {}),
    })
  }

  return fakeServer(t, (request) => {
    const { path } = request
    const ok = (body: unknown): Response => ({ status: 200, body })
    if (path === '/models') {
      return ok({ object: 'list', data: [{ id: model, object: 'model', owned_by: 'vllm', max_model_len: 4096 }] })
    }
    if (path === '/version') return ok({ version: '0.12.0' })
    if (path === '/health') return ok('')
    if (path === '/metrics') return ok(metrics)
    if (path === '/tokenize') return ok({ count: 2, max_model_len: 4096, tokens: [1, 2] })
    return isReplyPath(request) ? completion(request) : notFound
  })
}

function echo({ model, prompt }: Json): Response {
  const text = String(prompt)
  const logprobs = { tokens: [...text], token_logprobs: [null, -1.5], top_logprobs: null, text_offset: [0, 1] }
  const choices = [{ index: 0, text: `${text}好`, finish_reason: 'length', logprobs }]
  return {
    status: 200,
    body: { object: 'text_completion', model, choices, usage: { prompt_tokens: 2, completion_tokens: 1 } },
  }
}

/** OpenAI's own service: refuses what it does not know by name, answers for chat models on `/chat/completions` only. */
import type { Test } from 'tap'
import { askedLogprobs, errorBody, type FakeServer, fakeServer, type Request, type Response, reply } from './base.js'

const known = new Set(
  ['model', 'messages', 'max_completion_tokens', 'temperature', 'top_p', 'seed', 'stop', 'n'].concat([
    'logprobs',
    'top_logprobs',
    'stream',
    'stream_options',
    'presence_penalty',
    'frequency_penalty',
  ]),
)
const limits = {
  'x-ratelimit-limit-requests': '10000',
  'x-ratelimit-remaining-requests': '9999',
  'x-ratelimit-reset-requests': '6ms',
  'x-ratelimit-limit-tokens': '2000000',
  'x-ratelimit-remaining-tokens': '1999000',
  'x-ratelimit-reset-tokens': '30ms',
}

/** @param reasoning a reasoning model: no temperature but 1, no top_p, no log-probabilities */
export function openaiServer(t: Test, key: string, reasoning = false): Promise<FakeServer> {
  const refuse = (message: string, code: string, param: string): Response => ({
    status: 400,
    body: errorBody(message, 'invalid_request_error', code, param),
  })
  const unsupported = (name: string) =>
    refuse(`Unsupported parameter: '${name}' is not supported with this model.`, 'unsupported_parameter', name)

  function chat(request: Request): Response {
    const { body } = request
    if ('max_tokens' in body) {
      const message =
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
      return refuse(message, 'unsupported_parameter', 'max_tokens')
    }
    for (const name of Object.keys(body)) {
      if (!known.has(name)) return refuse(`Unknown parameter: '${name}'.`, 'unknown_parameter', name)
    }
    if (reasoning) {
      const refused = ['top_p', 'logprobs', 'top_logprobs'].find((name) => name in body)
      if (refused !== undefined) return unsupported(refused)
      if (body.temperature !== undefined && body.temperature !== 1) {
        const message = `Unsupported value: 'temperature' does not support ${body.temperature} with this model. Only the default (1) value is supported.`
        return refuse(message, 'unsupported_value', 'temperature')
      }
      // Its thoughts take more.
      if (Number(body.max_completion_tokens) < 64) {
        const message =
          'Could not finish the message because max_tokens or model output limit was reached. Please try again with higher max_tokens.'
        return { status: 400, body: errorBody(message, 'invalid_request_error', null) }
      }
    }
    if (Number(body.top_logprobs ?? 0) > 20) {
      const message = "Invalid value for 'top_logprobs': must be less than or equal to 20."
      return refuse(message, 'integer_above_max_value', 'top_logprobs')
    }
    return reply(request, { logprobs: askedLogprobs(request), model: `${body.model}-2025-04-14` })
  }

  return fakeServer(t, (request) => {
    const { path, headers, body } = request
    if (headers.authorization !== `Bearer ${key}`) {
      const message = `Incorrect API key provided: ${headers.authorization?.slice(7) ?? ''}.`
      return { status: 401, body: errorBody(message, 'invalid_request_error', 'invalid_api_key') }
    }
    if (path === '/models') return { status: 200, body: { object: 'list', data: [{ id: 'gpt-x', object: 'model' }] } }
    if (path === '/chat/completions') return { ...chat(request), headers: limits }
    const message =
      path === '/completions'
        ? 'This is a chat model and not supported in the v1/completions endpoint. Did you mean to use v1/chat/completions?'
        : `Invalid URL (${request.method} ${path})`
    return { status: 404, body: errorBody(message, 'invalid_request_error', null, body.model ? 'model' : undefined) }
  })
}

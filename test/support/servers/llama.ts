/** llama-server: loads for a while, continues an opened turn by itself, says its context in `/props`. */
import type { Test } from 'tap'
import { askedLogprobs, type FakeServer, fakeServer, type Json, type Response, reply } from './base.js'

export interface LlamaOptions {
  /** The model is loaded so long after the first request, ms. */
  readonly loadingMs?: number
  /** A template that thinks: an opened turn is refused unless thinking is off. */
  readonly thinks?: boolean
}

export function llamaServer(t: Test, { loadingMs = 0, thinks = false }: LlamaOptions = {}): Promise<FakeServer> {
  const fails = (status: number, message: string, type: string): Response => ({
    status,
    body: { error: { code: status, message, type } },
  })
  return fakeServer(t, (request) => {
    const { path, body, sinceFirstMs } = request
    if (sinceFirstMs < loadingMs) return fails(503, 'Loading model', 'unavailable_error')
    const ok = (sent: unknown): Response => ({ status: 200, body: sent })
    if (path === '/models') {
      const meta = { n_ctx: 8192, n_ctx_train: 32768, n_vocab: 151936 }
      return ok({ object: 'list', data: [{ id: '/models/qwen-x-Q4_K_M.gguf', owned_by: 'llamacpp', meta }] })
    }
    if (path === '/props') return ok({ default_generation_settings: { n_ctx: 8192 }, build_info: 'b6000-abc' })
    if (path === '/tokenize') return ok({ tokens: [] })
    if (path === '/metrics')
      return fails(
        501,
        'This server does not support metrics endpoint. Start it with `--metrics`',
        'not_supported_error',
      )
    if (path !== '/chat/completions' && path !== '/completions') return fails(404, 'File Not Found', 'not_found_error')
    const messages = (body.messages ?? []) as Json[]
    const isOpened = messages.at(-1)?.role === 'assistant'
    const { enable_thinking: thinking = true } = (body.chat_template_kwargs ?? {}) as Json
    if (thinks && isOpened && thinking !== false) {
      return fails(400, 'Assistant response prefill is incompatible with enable_thinking.', 'invalid_request_error')
    }
    return reply(request, { continues: true, logprobs: askedLogprobs(request) })
  })
}

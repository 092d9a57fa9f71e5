/** Text Generation Inference: `/info`, 422 for values out of range, `eos_token`, 424 when a generation fails. */
import type { Test } from 'tap'
import { askedLogprobs, type FakeServer, fakeServer, notFound, type Response, reply } from './base.js'

/** It knows its model by the name `tgi` and does not look at the name it is asked for. */
export function tgiServer(t: Test): Promise<FakeServer> {
  let failed = 0
  const invalid = (what: string): Response => ({
    status: 422,
    body: { error: `Input validation error: ${what}`, error_type: 'validation' },
  })
  return fakeServer(t, (request) => {
    const { path, body, task } = request
    if (path === '/models') return { status: 200, body: { object: 'list', data: [{ id: 'tgi', object: 'model' }] } }
    if (path === '/info') {
      return {
        status: 200,
        body: { model_id: 'Qwen/X', max_total_tokens: 4096, max_input_tokens: 4095, version: '3.3.4' },
      }
    }
    if (path === '/metrics')
      return { status: 200, body: '# TYPE tgi_batch_current_size gauge\ntgi_batch_current_size 1\ntgi_queue_size 0\n' }
    if (path !== '/chat/completions') return notFound
    const top = askedLogprobs(request)
    if (Number(body.top_p ?? 0.5) >= 1) return invalid('`top_p` must be > 0.0 and < 1.0')
    if (top !== undefined && top > 5) return invalid('`top_n_tokens` must be >= 0 and <= 5')
    if (task === 'polish' && failed < 2) {
      failed++
      const error = 'Request failed during generation: Server error: CANCELLED'
      return { status: 424, body: { error, error_type: 'generation' } }
    }
    return reply(request, { finish: 'eos_token', logprobs: top, model: 'Qwen/X' })
  })
}

/** SGLang: vLLM's API with metrics of its own, lists of prompts, and what it is in `/get_model_info`. */
import type { Test } from 'tap'
import { askedLogprobs, type FakeServer, fakeServer, isReplyPath, notFound, type Response, reply } from './base.js'

const metrics = 'sglang:num_running_reqs{model_name="m"} 1.0\nsglang:num_queue_reqs{model_name="m"} 0.0\n'

export function sglangServer(t: Test): Promise<FakeServer> {
  const ok = (body: unknown): Response => ({ status: 200, body })
  return fakeServer(t, (request) => {
    const { path, body } = request
    if (path === '/models')
      return ok({ object: 'list', data: [{ id: 'qwen-x', owned_by: 'sglang', max_model_len: 4096 }] })
    if (path === '/get_model_info') return ok({ model_path: 'Qwen/X', is_generation: true })
    if (path === '/metrics') return ok(metrics)
    if (!isReplyPath(request)) return notFound
    return reply(request, { continues: body.continue_final_message === true, logprobs: askedLogprobs(request) })
  })
}

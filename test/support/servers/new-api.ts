/** A proxy like one-api and new-api: Chinese words, errors inside a 200, no counts, models by channel. */
import type { Test } from 'tap'
import { askedLogprobs, errorBody, type FakeServer, fakeServer, mentions, type Response, reply } from './base.js'

/** @param sensitive texts with this word are refused; @param served by the upstream in place of what was asked for */
export function newApiServer(t: Test, sensitive: string, served?: string): Promise<FakeServer> {
  let busy = 0
  let failed = 0
  const fails = (status: number, message: string, code: string): Response => ({
    status,
    body: errorBody(message, 'new_api_error', code),
  })
  return fakeServer(t, (request) => {
    const { path, body, task } = request
    if (path === '/models')
      return { status: 200, body: { object: 'list', data: [{ id: 'qwen-x', owned_by: 'custom' }] } }
    // A proxy's page for everything else that is not known.
    if (request.method === 'GET') return { status: 200, body: '<!doctype html><title>New API</title>' }
    if (path !== '/chat/completions') return fails(404, `Invalid URL (POST ${path})`, 'not_found')
    if (body.model !== 'qwen-x') {
      return fails(503, `当前分组 default 下对于模型 ${body.model} 无可用渠道`, 'model_not_found')
    }
    if (mentions(request, sensitive)) {
      return fails(500, `sensitive words detected: ${sensitive}`, 'sensitive_words_detected')
    }
    if (task === 'label' && busy < 2) {
      busy++
      return fails(429, '您已达到请求数限制：1分钟内最多请求60次', 'rate_limit')
    }
    if (task === 'score' && failed < 2) {
      failed++
      return { status: 200, body: { error: { message: '上游服务异常', type: 'upstream_error', code: 502 } } }
    }
    const model = served === undefined ? {} : { model: served }
    return reply(request, { usage: false, logprobs: askedLogprobs(request), ...model })
  })
}

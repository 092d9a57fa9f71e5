/** DashScope's compatible mode: takes no notice of log-probabilities or refuses them, moderates, has accounts. */
import type { Test } from 'tap'
import { errorBody, type FakeServer, fakeServer, mentions, type Response, reply } from './base.js'

export interface DashscopeOptions {
  /** Log-probabilities are refused, not ignored. */
  readonly refusesLogprobs?: boolean
  /** Texts with this word are refused by the moderation. */
  readonly sensitive?: string
  /** Label requests that are answered before the account is in arrears. */
  readonly labelsUntilArrears?: number
}

export function dashscopeServer(t: Test, options: DashscopeOptions = {}): Promise<FakeServer> {
  const { refusesLogprobs = false, sensitive, labelsUntilArrears = Number.POSITIVE_INFINITY } = options
  let throttled = 0
  let isPaid = true
  const fails = (status: number, code: string, message: string): Response => ({
    status,
    body: { ...errorBody(message, code, code), id: 'chatcmpl-1', request_id: '1' },
  })
  const answer = (request: Parameters<Parameters<typeof fakeServer>[1]>[0]): Response => {
    const { path, body, task, before } = request
    if (path === '/models') return { status: 200, body: { object: 'list', data: [{ id: 'qwen-x' }] } }
    if (path !== '/chat/completions') return { status: 404, body: '' }
    if (task === 'label' && before >= labelsUntilArrears) isPaid = false
    if (!isPaid) return fails(400, 'Arrearage', 'Access denied, please make sure your account is in good standing.')
    if (refusesLogprobs && body.logprobs !== undefined) {
      return fails(
        400,
        'invalid_parameter_error',
        "<400> InternalError.Algo.InvalidParameter: 'logprobs' is not supported",
      )
    }
    if (sensitive !== undefined && mentions(request, sensitive)) {
      return fails(400, 'data_inspection_failed', 'Input data may contain inappropriate content.')
    }
    if (task === 'label' && throttled < 2) {
      throttled++
      return fails(429, 'Throttling.RateQuota', 'Requests rate limit exceeded, please try again later.')
    }
    return reply(request)
  }
  return fakeServer(t, answer, '/compatible-mode/v1')
}

/** LM Studio: a page that it does not have is an error inside a 200; no log-probabilities in a chat. */
import type { Test } from 'tap'
import { type FakeServer, fakeServer, isReplyPath, type Response, reply } from './base.js'

/** @param isLoaded false: no model is loaded, which only a person can change */
export function lmStudioServer(t: Test, isLoaded = true): Promise<FakeServer> {
  return fakeServer(t, (request): Response => {
    const { path, method } = request
    if (path === '/models') {
      const data = [{ id: 'qwen-x', object: 'model', owned_by: 'organization_owner', loaded_context_length: 4096 }]
      return { status: 200, body: { object: 'list', data: isLoaded ? data : [] } }
    }
    if (!isReplyPath(request)) {
      return { status: 200, body: { error: `Unexpected endpoint or method. (${method} ${path})` } }
    }
    if (!isLoaded) {
      const message = 'No models loaded. Please load a model in the developer page or use the `lms load` command.'
      return {
        status: 404,
        body: { error: { message, type: 'invalid_request_error', param: 'model', code: 'model_not_found' } },
      }
    }
    return reply(request)
  })
}

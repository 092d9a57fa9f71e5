/** Ollama: no log-probabilities, no lists of prompts, fields that it does not know are ignored. */
import type { Test } from 'tap'
import { errorBody, type FakeServer, fakeServer, isReplyPath, type Response, reply } from './base.js'

export function ollamaServer(t: Test): Promise<FakeServer> {
  const fails = (status: number, message: string): Response => ({ status, body: errorBody(message, 'api_error', null) })
  return fakeServer(t, (request) => {
    const { path, body } = request
    if (path === '/models')
      return { status: 200, body: { object: 'list', data: [{ id: 'qwen-x:latest', owned_by: 'library' }] } }
    if (!isReplyPath(request)) return { status: 404, body: '404 page not found' }
    if (!/^qwen-x(:latest)?$/.test(String(body.model)))
      return fails(404, `model "${body.model}" not found, try pulling it first`)
    if (Array.isArray(body.prompt)) {
      return fails(400, 'json: cannot unmarshal array into Go struct field CompletionRequest.prompt of type string')
    }
    return reply(request)
  })
}

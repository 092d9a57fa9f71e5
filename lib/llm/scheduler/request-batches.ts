/** Combines waiting calls whose prompts may be sent as a list into one HTTP request. */

import type { Endpoint } from '../endpoint/endpoint.js'
import type { WireRequest } from '../protocol/client.js'
import type { PendingRequest } from './pending-request.js'

/** Calls examined for prompts that fit the list. */
const listCallsMax = 64

/** Returns a request and others that may share its HTTP request, which it takes out of the queue. */
export function takeBatch(request: PendingRequest): PendingRequest[] {
  // One that failed is sent alone: in a list it would fail the others and cause another bisection.
  if (request.listKey === null || request.failures > 0) return [request]
  const { group, promptsMax } = request.model
  const fits = (other: PendingRequest) =>
    other.failures === 0 && other.model === request.model && other.listKey === request.listKey
  return [request, ...group.queue.takeMatching(request.call.stageOrder, promptsMax - 1, listCallsMax, fits)]
}

/** Builds the HTTP request of a batch; a list is not streamed. */
export function wireRequest(requests: readonly PendingRequest[], endpoint: Endpoint): WireRequest {
  const [first] = requests as readonly [PendingRequest, ...PendingRequest[]]
  const { options, headers } = first.model
  const single = requests.length === 1
  const body = first.body()
  if (!single) body.prompt = requests.map((request) => request.call.request.prompt ?? '')
  return {
    kind: first.call.request.kind,
    body,
    prompts: requests.length,
    headers,
    ...(single && first.key !== '' && { key: first.key }),
    stream: single && options.stream && first.call.request.streamed !== false,
    onModel: (name) => endpoint.noteModel(options.model, name),
  }
}

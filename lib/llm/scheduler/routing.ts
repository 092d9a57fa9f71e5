/**
 * Which of several endpoints gets a call: the one that has its text's prefix cached when that costs no waiting, else
 * the one with the most room; never the one where it failed last while another is there. Pure but for what it looks at.
 */
import type { Position } from '../../core/types.js'
import type { Endpoint } from '../endpoint/endpoint.js'
import type { EndpointGroup, PendingRequest } from './pending-request.js'

/** Calls at the head of a stage looked at for one whose text is cached at an endpoint with room. */
const nearCallsMax = 16

/** One of the next calls of the same stage whose home has room, taken out of the queue; null to serve the first. */
export function takeNearCall(
  { queue, endpoints }: EndpointGroup,
  { call }: PendingRequest,
  free: readonly Endpoint[],
): PendingRequest | null {
  if (endpoints.length === 1 || free.length === endpoints.length) return null
  const fits = (request: PendingRequest) => {
    const home = homeOf(request, endpoints)
    return home !== request.failedAt && free.includes(home)
  }
  return queue.takeMatching(call.stageOrder, 1, nearCallsMax, fits)[0] ?? null
}

/** One of the `free` endpoints; null to wait for another than that where it failed. */
export function chooseEndpoint(request: PendingRequest, free: readonly Endpoint[], nowMs: number): Endpoint | null {
  const { endpoints } = request.model.group
  if (endpoints.length === 1) return free[0] as Endpoint
  const others = free.filter((endpoint) => endpoint !== request.failedAt)
  if (others.length === 0) {
    const elsewhere = endpoints.some((endpoint) => endpoint !== request.failedAt && !endpoint.isDown)
    return elsewhere ? null : (free[0] as Endpoint)
  }
  const home = homeOf(request, endpoints)
  if (others.includes(home)) return home
  const share = (endpoint: Endpoint) => endpoint.capacity(nowMs) / endpoint.limiter.limit
  return others.reduce((most, endpoint) => (share(endpoint) > share(most) ? endpoint : most))
}

/** Where the prefix of a call's text is cached, if anywhere. */
function homeOf(request: PendingRequest, endpoints: readonly Endpoint[]): Endpoint {
  return endpoints[textHash(request.call.position) % endpoints.length] as Endpoint
}

/** A number for the text that a call is about, the same for all its variants and stages: its block and ordinal there. */
function textHash(position: Position): number {
  let hash = 0x811c9dc5
  for (const ordinal of position.slice(0, 2)) hash = Math.imul(hash ^ ordinal, 0x01000193) >>> 0
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  return (hash ^ (hash >>> 13)) >>> 0
}

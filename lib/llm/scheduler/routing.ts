/**
 * Chooses the endpoint of a call: the one that has the prefix of its text cached if that one has free slots, otherwise
 * the one with the largest share of free slots. The endpoint where it failed last is used only if all others are down.
 */
import type { Position } from '../../core/types.js'
import type { Endpoint } from '../endpoint/endpoint.js'
import type { EndpointGroup, PendingRequest } from './pending-request.js'

/** Calls examined at the head of a stage for one whose text is cached at an endpoint with free slots. */
const nearCallsMax = 16

/** Takes one of the next calls of the same stage whose home endpoint has free slots; null if there is none. */
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

/**
 * Returns one of the `free` endpoints; null if the call should wait for an endpoint other than the one where it failed.
 */
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

/** Returns the endpoint to which all calls about a text are sent if possible, so that its prefix is cached there. */
function homeOf(request: PendingRequest, endpoints: readonly Endpoint[]): Endpoint {
  return endpoints[textHash(request.call.position) % endpoints.length] as Endpoint
}

/** Hashes block and ordinal of a text: equal for all variants and stages. */
function textHash(position: Position): number {
  let hash = 0x811c9dc5
  for (const ordinal of position.slice(0, 2)) hash = Math.imul(hash ^ ordinal, 0x01000193) >>> 0
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  return (hash ^ (hash >>> 13)) >>> 0
}

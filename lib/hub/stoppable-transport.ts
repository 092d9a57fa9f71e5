/** A transport that two signals stop: after `ending` no further request is started, `signal` aborts those in progress. */

import type { HubRequest, HubResponse } from './request.js'
import { fetchThrough } from './response.js'
import type { HubTransport } from './transport.js'

interface StopSignals {
  /** Aborts requests in progress. */
  readonly signal?: AbortSignal | undefined
  /** Lets a request in progress complete; no other is started. */
  readonly ending?: AbortSignal | undefined
}

/** Returns one signal for both; undefined if neither is given. */
export function combinedSignal({ signal, ending }: StopSignals): AbortSignal | undefined {
  if (signal === undefined || ending === undefined) return signal ?? ending
  return AbortSignal.any([signal, ending])
}

/** Wraps a transport, which stays open when the wrapper is stopped. */
export function stoppableTransport(transport: HubTransport, { signal, ending }: StopSignals): HubTransport {
  const request = (url: string, given: HubRequest = {}): Promise<HubResponse> =>
    transport.request(url, { ...given, signal: given.signal ?? signal, ending })
  return {
    request,
    fetch: (input, init) => fetchThrough(request, input, init),
    clock: transport.clock,
    backoff: (failures, given) => transport.backoff(failures, given ?? combinedSignal({ signal, ending })),
    counts: transport.counts,
    close: () => transport.close(),
  }
}

/** The transport of a publish that can be stopped: no further request begins once `ending` is aborted, `signal` cuts it off. */
import { asFetch } from '../hub/answer.js'
import type { HubTransport } from '../hub/fetch.js'
import type { HubRequest, HubResponse } from '../hub/request.js'

export interface StopSignals {
  /** Ends everything, a request under way as well. */
  readonly signal?: AbortSignal | undefined
  /** Ends everything but a request under way. */
  readonly ending?: AbortSignal | undefined
}

/** Combines both signals; undefined if there is none. */
export function eitherOf({ signal, ending }: StopSignals): AbortSignal | undefined {
  if (signal === undefined || ending === undefined) return signal ?? ending
  return AbortSignal.any([signal, ending])
}

export function stoppable(transport: HubTransport, { signal, ending }: StopSignals): HubTransport {
  const request = (url: string, given: HubRequest = {}): Promise<HubResponse> =>
    transport.request(url, { ...given, signal: given.signal ?? signal, ending })
  return {
    request,
    fetch: (input, init) => asFetch(request, input, init),
    clock: transport.clock,
    backoff: (failures, given) => transport.backoff(failures, given ?? eitherOf({ signal, ending })),
    counts: transport.counts,
    close: () => transport.close(),
  }
}

/**
 * Faults of the simulated Hub: which requests get which fault. server.ts, exchange.ts and api.ts apply them.
 */
import { type Applied, type MatchedFault, MatchedFaults } from '../matched-faults.js'

export type HubFaultKind =
  /** Responds with `status`, `error` and X-Error-Code `errorCode`. */
  | 'status'
  /** 429 with the Hub's RateLimit headers, `waitSeconds` to wait. */
  | 'rate-limit'
  /** The connection is closed before the request is handled. */
  | 'reset'
  /** The request is handled, and the connection is closed before the response. */
  | 'reset-after'
  /** The body is cut off after `afterBytes`, by default at a random place. */
  | 'cut'
  /** The body ends early without an error: there is no Content-Length. */
  | 'truncate'
  /** The response to a Range is 200 and the whole file. */
  | 'ignore-range'
  /** Sizes in listings and headers are one too large. */
  | 'wrong-size'
  /** The file has another ETag, as if its content had changed. */
  | 'wrong-etag'
  /** A part of an upload is accepted without an ETag. */
  | 'no-etag'
  /** One byte of the body is flipped. */
  | 'corrupt'
  /** No response until the server is closed. */
  | 'stall'
  /** Another commit is made on the branch before this request is handled. */
  | 'move-branch'

export interface HubFault extends MatchedFault {
  readonly kind: HubFaultKind
  readonly status?: number
  readonly error?: string
  readonly errorCode?: string
  readonly waitSeconds?: number
  readonly afterBytes?: number
}

/** A fault as applied to one request. */
export type AppliedFault = Applied<HubFault>

export class HubFaults extends MatchedFaults<HubFault> {}

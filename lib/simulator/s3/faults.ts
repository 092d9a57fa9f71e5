/** Faults of the simulated S3: which requests get which fault. simulated-s3.ts and exchange.ts apply them. */
import { type Applied, type MatchedFault, MatchedFaults } from '../matched-faults.js'

export type S3FaultKind =
  /** Responds with `status` and `code`, and does nothing else: 503 SlowDown, 500, 409, 412. */
  | 'status'
  /** The connection is closed before the request is handled. */
  | 'reset'
  /** The request is handled, and the connection is closed before the response. */
  | 'lost'
  /** The request is handled after `waitMs`. */
  | 'slow'
  /** No response until the server is closed. */
  | 'stall'
  /** The body is cut off after `afterBytes`, by default at a random place. */
  | 'cut'
  /** The response to a Range is 200 and the whole object. */
  | 'ignore-range'
  /** The listing lacks the newest `objects`, 1 by default. */
  | 'stale-list'
  /** The upload is not completed, and the response is 200 with an error inside. */
  | 'error-inside'
  /** The response lacks the metadata of the object. */
  | 'no-metadata'

export interface S3Fault extends MatchedFault {
  readonly kind: S3FaultKind
  readonly status?: number
  readonly code?: string
  readonly waitMs?: number
  readonly afterBytes?: number
  readonly objects?: number
}

/** A fault as applied to one request. */
export type AppliedS3Fault = Applied<S3Fault>

export class S3Faults extends MatchedFaults<S3Fault> {}

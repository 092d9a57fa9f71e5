/** Handle of a running simulator. */
import type { FaultRuleOptions } from './fault-rules.js'
import type { FaultCounts } from './faults.js'
import type { Capacity } from './pace.js'
import type { LoggedRequest } from './request-log.js'

/** Counts since the start, and the current state. */
export interface SimulatorStats {
  readonly requests: number
  /** Replies sent completely. */
  readonly completed: number
  /** Requests that the client closed before the reply was complete. */
  readonly aborted: number
  readonly open: number
  readonly openMost: number
  readonly running: number
  readonly waiting: number
  readonly preemptions: number
  /** Prompt tokens looked up in the prefix cache, and those found. */
  readonly prefixCacheQueries: number
  readonly prefixCacheHits: number
  /** Share of the KV cache in use, 0 to 1. */
  readonly kvCacheUsage: number
  readonly promptTokens: number
  readonly generationTokens: number
  readonly faults: FaultCounts
}

/** A simulated model server that is listening. */
export interface Simulator {
  /** http://HOST:PORT/v1 */
  readonly url: string
  readonly port: number
  stats(): SimulatorStats
  /** Returns the last completed requests with their bodies, oldest first. */
  requests(): (LoggedRequest & { readonly body: string })[]
  /** Replaces all fault rules; numbers of requests count from now. */
  setFaults(rules: readonly FaultRuleOptions[]): void
  /** Changes the capacity: `speed` 0.5 is half. */
  setCapacity(capacity: Capacity): void
  /** Simulates a crash: 500 for open requests and the next `refuseAfter`, /health 503, then connections are refused. */
  kill(refuseAfter?: number): void
  /** Restarts the server on the same port. */
  revive(): Promise<void>
  close(): Promise<void>
}

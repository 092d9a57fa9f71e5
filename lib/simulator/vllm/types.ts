/** What whoever started a simulator holds of it. */
import type { FaultRuleOptions } from './fault-rules.js'
import type { FaultCounts } from './faults.js'
import type { Capacity } from './pace.js'
import type { LoggedRequest } from './request-log.js'

/** Counts since the start, and what is under way now. */
export interface SimulatorStats {
  readonly requests: number
  /** Replies handed to the network completely. */
  readonly completed: number
  /** Given up by the client before the reply was complete. */
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

/** A stand-in model server that is listening. */
export interface Simulator {
  /** http://HOST:PORT/v1 */
  readonly url: string
  readonly port: number
  stats(): SimulatorStats
  /** The last requests that are over, oldest first, bodies and all. */
  requests(): (LoggedRequest & { readonly body: string })[]
  /** Replaces all fault rules; numbers of requests count from now. */
  setFaults(rules: readonly FaultRuleOptions[]): void
  /** Changes in mid-run what the server can do: `speed` 0.5 is half. */
  setCapacity(capacity: Capacity): void
  /** The engine dies: 500 for all requests open and the next few, /health 503, then connections are refused. */
  kill(refuseAfter?: number): void
  /** Back again, on the same port. */
  revive(): Promise<void>
  close(): Promise<void>
}

/** Figures of a call of `run` over time; plain types, which the pages import too. */

export interface NodePoint {
  readonly name: string
  readonly unit: string
  readonly in: number
  readonly out: number
  readonly inFlight: number
  /** Shares of the time since the previous point that was measured, 0 to 1. */
  readonly working: number
  readonly blocked: number
}

export interface EndpointPoint {
  readonly endpoint: string
  readonly inFlight: number
  readonly limit: number
  readonly down: boolean
  /** From the server's metrics; null if it has none. */
  readonly running: number | null
  readonly waiting: number | null
  readonly kvUsage: number | null
}

/** Counts are sums since the start of the call. */
export interface SeriesPoint {
  /** Since the start of the call. */
  readonly seconds: number
  readonly bottleneck: string
  readonly nodes: readonly NodePoint[]
  /** Of the replies received. */
  readonly tokens: number
  /** Calls that wait for a slot or a retry. */
  readonly callsWaiting: number
  /** Rows of the dataset that were released. */
  readonly rows: number
  readonly endpoints: readonly EndpointPoint[]
  readonly memoryBytes: number
}

/** Points of one call of `run`, oldest first. */
export interface CallSeries {
  /** As in timings.json. */
  readonly startedAt: string
  readonly points: readonly SeriesPoint[]
}

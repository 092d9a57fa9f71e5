/** Selects which retries of an outage are reported: the first, then each wait that is long and longer than any reported. */

/** A request that failed, and when it is sent again. */
export interface RetryWait {
  /** Without the query. */
  readonly url: string
  /** How the last try ended. */
  readonly reason: string
  /** Tries so far. */
  readonly tries: number
  readonly triesMax: number
  /** Time until the next try. */
  readonly waitMs: number
}

/** A wait of this length is reported even if the outage was reported before. */
const longWaitMs = 10_000

export interface OutageReports {
  /** A request failed and will be retried. */
  retrying(wait: RetryWait): void
  /** A request that was retried has got a response, or was given up. */
  ended(): void
}

/** Treats requests that fail at the same time as one outage. */
export function outageReports(onWait: ((wait: RetryWait) => void) | undefined): OutageReports {
  let reportedMs: number | null = null
  return {
    retrying(wait) {
      if (reportedMs !== null && wait.waitMs <= Math.max(longWaitMs, reportedMs)) return
      reportedMs = wait.waitMs
      onWait?.(wait)
    },
    ended() {
      reportedMs = null
    },
  }
}

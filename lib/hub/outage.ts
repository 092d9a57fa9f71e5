/** Which waits for a Hub that fails are told: of an outage the first, then each that is long and longer than any told. */

/** A request that failed and is sent again. */
export interface HubWait {
  /** Without its query. */
  readonly url: string
  /** How the last try ended. */
  readonly reason: string
  /** Tries so far. */
  readonly tries: number
  readonly triesMax: number
  /** Until the next try. */
  readonly waitMs: number
}

/** A wait that is told though the outage is known. */
const longWaitMs = 10_000

export interface Outage {
  begins(wait: HubWait): void
  /** A request that had to wait was answered, or given up. */
  over(): void
}

/** Requests that fail side by side stand in one outage. */
export function outage(onWait: ((wait: HubWait) => void) | undefined): Outage {
  let toldMs: number | null = null
  return {
    begins(wait) {
      if (toldMs !== null && wait.waitMs <= Math.max(longWaitMs, toldMs)) return
      toldMs = wait.waitMs
      onWait?.(wait)
    },
    over() {
      toldMs = null
    },
  }
}

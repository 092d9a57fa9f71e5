/** Stops a run when this process has received `tokensMax` tokens or worked for `hoursMax` hours. */

import { LimitError } from '../errors.js'
import { grouped } from '../language/grouped.js'
import { say } from '../language/say.js'

interface UsageLimitsOptions {
  /** Infinity: no limit. */
  readonly tokensMax: number
  /** Infinity: no limit. */
  readonly hoursMax: number
}

/** The largest delay of a timer, ms: a longer one would fire immediately. */
const timerMsMax = 2 ** 31 - 1

export class UsageLimits {
  readonly #options: UsageLimitsOptions
  #tokens: () => number = () => 0
  #onReached: (error: LimitError) => void = () => undefined
  #timer: NodeJS.Timeout | null = null

  constructor(options: UsageLimitsOptions) {
    this.#options = options
  }

  /** @param tokens returns the tokens received so far by this process */
  start(tokens: () => number, onReached: (error: LimitError) => void): void {
    this.#tokens = tokens
    this.#onReached = onReached
    const { hoursMax } = this.#options
    if (Number.isFinite(hoursMax)) this.#stopAfter(hoursMax * 3_600_000)
  }

  /** Checks the tokens; called at each answer of a server. */
  answered(): void {
    const { tokensMax } = this.#options
    if (!Number.isFinite(tokensMax)) return
    const tokens = this.#tokens()
    if (tokens >= tokensMax) this.#onReached(limit('tokensMax', tokensMax, say`${grouped(tokens)} tokens`))
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }

  #stopAfter(leftMs: number): void {
    const { hoursMax } = this.#options
    this.#timer = setTimeout(
      () => {
        if (leftMs > timerMsMax) this.#stopAfter(leftMs - timerMsMax)
        else this.#onReached(limit('hoursMax', hoursMax, say`${hoursMax} hours`))
      },
      Math.min(leftMs, timerMsMax),
    )
    this.#timer.unref()
  }
}

function limit(name: keyof UsageLimitsOptions, max: number, reached: string): LimitError {
  return new LimitError(
    say`limits.${name} is reached: ${reached} in this call. Run again to continue for as much, or set a
      higher limit`,
    { details: { limit: name, max } },
  )
}

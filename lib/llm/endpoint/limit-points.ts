/** What a limiter has measured: the rate at each limit that it tried. */

/** Limits are compared if one is at least this many times the other: closer ones differ by less than the noise. */
const comparedRatio = 1.4
/** Share of the earlier rate at the same limit below which capacity has fallen: all measurements are discarded. */
const collapseShare = 0.75
/** Weight of a new measurement in the average of a limit. */
const newWeight = 0.4

/** A limit, and the average rate at it. */
export interface LimitPoint {
  readonly limit: number
  readonly rate: number
}

/** Average rates by quarter octave of the limit. */
export class LimitPoints {
  readonly #points = new Map<number, LimitPoint>()

  /**
   * Adds a measurement.
   *
   * @returns the average at this limit; null if the rate has collapsed, and all that was known is discarded
   */
  add(limit: number, rate: number): number | null {
    const place = Math.round(4 * Math.log2(limit))
    const known = this.#points.get(place)
    if (known !== undefined && rate < known.rate * collapseShare) {
      this.#points.clear()
      return null
    }
    const average = known === undefined ? rate : known.rate + newWeight * (rate - known.rate)
    this.#points.set(place, { limit, rate: average })
    return average
  }

  /** Returns the closest of the limits that are low enough to compare with; null without one. */
  below(limit: number): LimitPoint | null {
    return this.#closest(limit, (point) => point * comparedRatio <= limit)
  }

  /** Returns the closest of the limits that are high enough to compare with; null without one. */
  above(limit: number): LimitPoint | null {
    return this.#closest(limit, (point) => point >= limit * comparedRatio)
  }

  clear(): void {
    this.#points.clear()
  }

  #closest(limit: number, isFar: (limit: number) => boolean): LimitPoint | null {
    let closest: LimitPoint | null = null
    for (const point of this.#points.values()) {
      if (!isFar(point.limit)) continue
      if (closest === null || Math.abs(point.limit - limit) < Math.abs(closest.limit - limit)) closest = point
    }
    return closest
  }
}

/** Returns by how many % the rate grows for 1 % more requests in flight, between two limits in either order. */
export function elasticity(one: LimitPoint, other: LimitPoint): number {
  return Math.log(one.rate / other.rate) / Math.log(one.limit / other.limit)
}

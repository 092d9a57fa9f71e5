/**
 * Puts what is observed of records in the order in which they started. In the order in which they end, the first records of
 * a run are those whose first reply was good: those that are requested again come later, and a healthy run looks as if its
 * yield fell. Holds at most what the records in flight showed.
 */
export class StartOrder<T> {
  readonly #observe: (observed: T) => void
  /** Of ended records that wait for an earlier one. */
  readonly #waiting = new Map<number, readonly T[]>()
  #started = 0
  #next = 0

  constructor(observe: (observed: T) => void) {
    this.#observe = observe
  }

  /** Starts a record; the result is called once, when it has ended, with what was observed of it. */
  start(): (observed: readonly T[]) => void {
    const place = this.#started++
    return (observed) => {
      this.#waiting.set(place, observed)
      for (let ready = this.#waiting.get(this.#next); ready !== undefined; ready = this.#waiting.get(this.#next)) {
        this.#waiting.delete(this.#next++)
        for (const each of ready) this.#observe(each)
      }
    }
  }
}

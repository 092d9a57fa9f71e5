/**
 * Credit-based flow control: limits the bytes or items in flight. One node takes credit for each value, the source or a
 * gate; the ledger returns it when everything made from the value is released. Requests are granted in order. Credit
 * does not depend on commits: a cut may be larger than the capacity.
 */
import { InvalidOptionError } from '../errors.js'

interface Waiting {
  readonly amount: number
  readonly admit: () => void
}

/** A semaphore over amounts of one unit. */
export class Credit {
  #inUse = 0
  #peak = 0
  #returned = 0
  #limit: number
  #bound: () => number = () => Number.POSITIVE_INFINITY
  readonly #waiting: Waiting[] = []

  /**
   * @param name for messages, such as 'block bytes'
   * @param capacity positive, in the unit of the amounts taken
   */
  constructor(
    readonly name: string,
    readonly capacity: number,
  ) {
    if (!(capacity > 0)) throw new InvalidOptionError(`credit '${name}' needs a positive capacity, got ${capacity}`)
    this.#limit = capacity
  }

  /** Sets a limit below the capacity, for an end that is near; at least 1. A lower one takes effect as credit returns. */
  limitTo(amount: number): void {
    this.#limit = Math.min(this.capacity, Math.max(1, amount))
    this.admit()
  }

  /** Sets a further limit, which is asked at each request, as it changes; call `admit` when it may have grown. */
  boundBy(bound: () => number): void {
    this.#bound = bound
    this.admit()
  }

  /** Grants the requests that wait and fit. */
  admit(): void {
    for (let next = this.#waiting[0]; next !== undefined && this.#fits(next.amount); next = this.#waiting[0]) {
      this.#waiting.shift()
      this.#take(next.amount)
      next.admit()
    }
  }

  /** Sum of all amounts that were returned. */
  get returned(): number {
    return this.#returned
  }

  /** Amount that was taken and not returned. */
  get inUse(): number {
    return this.#inUse
  }

  /** Peak of `inUse`. Exceeds `capacity` only if a single request was larger than it. */
  get peak(): number {
    return this.#peak
  }

  /** Number of requests that wait. */
  get waiting(): number {
    return this.#waiting.length
  }

  /** Takes the amount if it is available and no earlier request waits; returns whether it did. */
  tryTake(amount: number): boolean {
    if (this.#waiting.length > 0 || !this.#fits(amount)) return false
    this.#take(amount)
    return true
  }

  /**
   * Resolves when the amount was taken; rejects with the signal's reason. An amount larger than the capacity is granted
   * when nothing else is in use.
   */
  take(amount: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.reject(signal.reason)
    if (this.tryTake(amount)) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1)
        reject(signal.reason)
        this.admit()
      }
      const waiting: Waiting = {
        amount,
        admit: () => {
          signal.removeEventListener('abort', onAbort)
          resolve()
        },
      }
      signal.addEventListener('abort', onAbort, { once: true })
      this.#waiting.push(waiting)
    })
  }

  /** Returns credit, and grants requests that wait. @throws {InvalidOptionError} more was returned than taken */
  give(amount: number): void {
    this.#inUse -= amount
    this.#returned += amount
    if (this.#inUse < 0)
      throw new InvalidOptionError(`credit '${this.name}' was returned ${-this.#inUse} more than taken`)
    this.admit()
  }

  #fits(amount: number): boolean {
    return this.#inUse === 0 || this.#inUse + amount <= Math.min(this.#limit, this.#bound())
  }

  #take(amount: number): void {
    this.#inUse += amount
    if (this.#inUse > this.#peak) this.#peak = this.#inUse
  }
}

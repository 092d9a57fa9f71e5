/**
 * Credit is room: what may be on the way at once. It is taken in order, first come first served, and returned by the
 * ledger when what took it has been released. It says nothing of durability; a cut may be larger than all credit.
 * Who waits for it is one taker a node: the source, or a gate.
 */
import { InvalidOptionError } from '../errors.js'

interface Waiting {
  readonly amount: number
  readonly admit: () => void
}

/** So much room of one kind. */
export class Credit {
  #inUse = 0
  #peak = 0
  readonly #waiting: Waiting[] = []

  /**
   * @param name what it bounds, for reports: 'block bytes'
   * @param capacity in the unit of what is taken; a positive number
   */
  constructor(
    readonly name: string,
    readonly capacity: number,
  ) {
    if (!(capacity > 0)) throw new InvalidOptionError(`credit '${name}' needs a positive capacity, got ${capacity}`)
  }

  get inUse(): number {
    return this.#inUse
  }

  /** The most that was ever in use. Over `capacity` only when one taker alone asked for more than all of it. */
  get peak(): number {
    return this.#peak
  }

  get waiting(): number {
    return this.#waiting.length
  }

  /** True when the amount was taken at once; never overtakes those who wait. */
  tryTake(amount: number): boolean {
    if (this.#waiting.length > 0 || !this.#fits(amount)) return false
    this.#take(amount)
    return true
  }

  /** Resolves when the amount was taken; rejects with the signal's reason. What is larger than all credit is admitted alone. */
  take(amount: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.reject(signal.reason)
    if (this.tryTake(amount)) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1)
        reject(signal.reason)
        this.#admit()
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

  give(amount: number): void {
    this.#inUse -= amount
    if (this.#inUse < 0)
      throw new InvalidOptionError(`credit '${this.name}' was given back ${-this.#inUse} more than taken`)
    this.#admit()
  }

  #admit(): void {
    for (let next = this.#waiting[0]; next !== undefined && this.#fits(next.amount); next = this.#waiting[0]) {
      this.#waiting.shift()
      this.#take(next.amount)
      next.admit()
    }
  }

  #fits(amount: number): boolean {
    return this.#inUse === 0 || this.#inUse + amount <= this.capacity
  }

  #take(amount: number): void {
    this.#inUse += amount
    if (this.#inUse > this.#peak) this.#peak = this.#inUse
  }
}

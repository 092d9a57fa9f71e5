/** Limits how many units `prepare` plans ahead of their results, so that unit files do not fill a disk. */
import { setTimeout as delay } from 'node:timers/promises'
import { mapConcurrent } from '../core/concurrent.js'
import { count } from '../language/count.js'
import { say } from '../language/say.js'
import type { ObjectStore } from '../objects/object-store.js'
import { resultKey } from './unit-keys.js'

/** Interval at which results are looked for. */
const lookMs = 2_000
const looksConcurrentMax = 16

interface UnitsAheadOptions {
  readonly store: ObjectStore
  /** Units without a result, at most. */
  readonly max: number
  /** Units planned before. */
  readonly planned: readonly string[]
  readonly signal: AbortSignal
  readonly onEvent: (message: string) => void
}

export class UnitsAhead {
  readonly #options: UnitsAheadOptions
  /** Units without a result, as far as is known. */
  #open: string[]

  constructor(options: UnitsAheadOptions) {
    this.#options = options
    this.#open = [...options.planned]
  }

  add(unit: string): void {
    this.#open.push(unit)
  }

  /** Waits until one more unit may be planned; returns when the signal is aborted. */
  async wait(): Promise<void> {
    const { max, signal, onEvent } = this.#options
    for (let looks = 0; this.#open.length >= max && !signal.aborted; looks++) {
      await this.#look()
      if (this.#open.length < max) return
      if (looks === 0)
        onEvent(say`waits for results: ${count(this.#open.length, 'unit')} planned without one (--units-ahead)`)
      await delay(lookMs, undefined, { signal }).catch(() => undefined) // the signal is checked above
    }
  }

  async #look(): Promise<void> {
    const { store } = this.#options
    const isDone = await mapConcurrent(
      this.#open,
      looksConcurrentMax,
      async (id) => (await store.head(resultKey(id))) !== null,
    )
    this.#open = this.#open.filter((_, index) => !isDone[index])
  }
}

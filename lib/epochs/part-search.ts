/** The job of a part: searches it for the rows of an epoch. The part is kept in memory for the next epoch. */
import { IndexPart, type PartFinding } from '../dedup/index-part.js'
import type { DecidePlan } from '../dedup/plan.js'
import { ContractError } from '../errors.js'
import { type Epoch, type EpochObjects, type EpochSettings, partOf, slicesOf } from './epoch-objects.js'
import { readSlice } from './slice.js'

export class PartSearch {
  readonly #objects: EpochObjects
  readonly #settings: EpochSettings
  readonly #part: number
  readonly #index: IndexPart
  /** Slices before this one are in the part. */
  #until = 0

  /** @param part from 0 */
  constructor(objects: EpochObjects, settings: EpochSettings, plan: DecidePlan, part: number) {
    this.#objects = objects
    this.#settings = settings
    this.#part = part
    this.#index = new IndexPart(plan)
  }

  /** Number of the part. */
  get part(): number {
    return this.#part
  }

  get memoryBytes(): number {
    return this.#index.memoryBytes
  }

  /** Slices before this one must be resolved for `search`; a part never goes back. */
  get until(): number {
    return this.#until
  }

  /** Stores what the part has of each slice of an epoch, all epochs before it being resolved. */
  async search(epoch: Epoch, signal: AbortSignal): Promise<void> {
    await this.#advance(epoch.firstSlice, signal)
    for (const slice of slicesOf(epoch)) {
      signal.throwIfAborted()
      if (await this.#objects.hasFound(this.#part, slice)) continue
      const findings = new Map<number, PartFinding>()
      for (const [number, row] of (await readSlice(this.#objects.store, slice)).entries()) {
        const found = this.#index.find(row)
        if (found !== null) findings.set(number, found)
      }
      await this.#objects.putFound(this.#part, slice, findings)
    }
  }

  /** Adds what was kept of the slices before `until`. */
  async #advance(until: number, signal: AbortSignal): Promise<void> {
    for (; this.#until < until; this.#until++) {
      if (partOf(this.#until, this.#settings) !== this.#part) continue
      signal.throwIfAborted()
      const verdicts = await this.#objects.verdicts(this.#until)
      if (verdicts === null) throw new ContractError(`slice ${this.#until} has no verdicts yet`)
      for (const [number, row] of (await readSlice(this.#objects.store, this.#until)).entries()) {
        if (!verdicts.dropped.has(number)) this.#index.keep(row, verdicts.fullBands.get(number) ?? [])
      }
    }
  }
}

/** The units of a plan without a result, as known to this process. A result is never withdrawn. */
import { mapConcurrent } from '../core/concurrent.js'
import type { QueuedRun, QueuedUnit } from './queued-run.js'

/** More open units than this are first compared with a listing. */
const askedByNameMax = 256
const asksConcurrent = 16

export class OpenUnits {
  readonly #run: QueuedRun
  readonly #done = new Set<string>()
  /** In order of the cut. */
  readonly #open = new Map<string, QueuedUnit>()
  #complete = false

  constructor(run: QueuedRun) {
    this.#run = run
  }

  /** Number of units planned, as of the last `read`. */
  get planned(): number {
    return this.#open.size + this.#done.size
  }

  /** Whether the plan was complete at the last `read`. */
  get complete(): boolean {
    return this.#complete
  }

  /** Reads the plan, unless it was complete already. */
  async read(): Promise<void> {
    if (this.#complete) return
    const complete = await this.#run.isComplete()
    for await (const unit of this.#run.planned()) if (!this.#done.has(unit.id)) this.#open.set(unit.id, unit)
    this.#complete = complete
  }

  /** Returns the units without a result, each asked by name unless a listing has it. */
  async all(): Promise<QueuedUnit[]> {
    await this.#compareWithListing()
    const done = await mapConcurrent(
      this.#open.keys(),
      asksConcurrent,
      async (id) => (await this.#run.isDone(id)) && id,
    )
    for (const id of done) if (id !== false) this.#settle(id)
    return [...this.#open.values()]
  }

  /** Returns the first unit without a result that `passes` accepts. */
  async first(passes: (id: string) => Promise<boolean> = async () => true): Promise<QueuedUnit | null> {
    let asked = 0
    for (const unit of [...this.#open.values()]) {
      if (asked++ === askedByNameMax) await this.#compareWithListing()
      if (!this.#open.has(unit.id)) continue
      if (await this.#run.isDone(unit.id)) this.#settle(unit.id)
      else if (await passes(unit.id)) return unit
    }
    return null
  }

  async #compareWithListing(): Promise<void> {
    if (this.#open.size <= askedByNameMax) return
    for await (const id of this.#run.listDone()) if (this.#open.has(id)) this.#settle(id)
  }

  #settle(id: string): void {
    this.#open.delete(id)
    this.#done.add(id)
  }
}

/** A divided run in memory, for tests of the queue: what a unit does when it is generated is given by the test. */
import type { QueuedRun, QueuedUnit, UnitGenerator } from '../../lib/queue/queued-run.js'

export class MemoryRun implements QueuedRun {
  readonly units: QueuedUnit[] = []
  readonly results = new Map<string, string>()
  readonly failed = new Map<string, string[]>()
  complete = true

  constructor(units: number) {
    this.plan(units)
  }

  plan(units: number): void {
    for (let added = 0; added < units; added++) {
      const cut = this.units.length
      this.units.push({ id: `${String(cut).padStart(6, '0')}-unit`, cut })
    }
  }

  async *planned(): AsyncIterable<QueuedUnit> {
    yield* this.units
  }

  async isComplete(): Promise<boolean> {
    return this.complete
  }

  async isDone(id: string): Promise<boolean> {
    return this.results.has(id)
  }

  async *listDone(): AsyncIterable<string> {
    yield* this.results.keys()
  }

  async failedAttempts(id: string): Promise<number> {
    return this.failed.get(id)?.length ?? 0
  }

  async listFailedAttempts(): Promise<ReadonlyMap<string, number>> {
    return new Map([...this.failed].map(([id, codes]) => [id, codes.length]))
  }

  async recordLosses(id: string): Promise<void> {
    this.failed.set(id, ['KUN_UNIT_LOST', 'KUN_UNIT_LOST', 'KUN_UNIT_LOST'])
  }

  /** A worker of this run; `attempt` is the work of one unit, and may throw. */
  worker(name: string, attempt: (id: string, signal: AbortSignal) => Promise<void> | void): UnitGenerator {
    return {
      generate: async (id, signal = new AbortController().signal) => {
        try {
          await attempt(id, signal)
        } catch (error) {
          const { code = 'KUN_FAILED' } = error as { code?: string }
          this.failed.set(id, [...(this.failed.get(id) ?? []), code])
          throw error
        }
        if (this.results.has(id)) return 'already'
        this.results.set(id, name)
        return 'committed'
      },
    }
  }
}

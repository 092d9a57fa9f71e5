/**
 * Delays the failure of calls that are turned away while the servers drain: a call that failed earlier would end the run
 * before the replies of the requests in flight are stored.
 */
import type { Model } from '../llm/types.js'

export class Drain {
  #drained: Promise<unknown> | null = null

  /** From now on a failed call rejects only once `drained` has settled. */
  begin(drained: Promise<unknown>): void {
    this.#drained = drained
  }

  /** Wraps a model. */
  model(model: Model): Model {
    return {
      ...model,
      ask: async (call) => {
        try {
          return await model.ask(call)
        } catch (error) {
          await this.#drained?.catch(() => undefined) // `ActiveRun.stop` rejects with it
          throw error
        }
      },
    }
  }
}

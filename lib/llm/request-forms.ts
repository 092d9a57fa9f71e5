/** Whether a stage's requests are such that the server takes them at all: asked once a model and stage, then known. */
import type { Endpoint } from './endpoint.js'
import type { SentModel } from './ticket.js'
import type { Call } from './types.js'

/** Asks the same with a harmless prompt: tells a request that no server would take from a record that one refused. */
export type FormPasses = (call: Call, model: SentModel, endpoint: Endpoint) => Promise<boolean>

/** Which forms of request each endpoint takes, found out once by asking. */
export class RequestForms {
  readonly #known = new Map<string, Promise<boolean>>()

  constructor(private readonly ask: FormPasses) {}

  /** What the server's failure to answer throws is not remembered. */
  async passes(call: Call, model: SentModel, endpoint: Endpoint): Promise<boolean> {
    const form = `${model.options.model}\n${call.stage}`
    const known = this.#known.get(form) ?? this.ask(call, model, endpoint)
    this.#known.set(form, known)
    try {
      return await known
    } catch (error) {
      this.#known.delete(form)
      throw error
    }
  }
}

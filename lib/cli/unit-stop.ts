/**
 * Stop signals of the commands on units: the first waits for requests in flight, the second ends the process. Created once the
 * store and the queue are open: until then a signal ends the command (terminal/stop-signals.ts), since nothing is in flight.
 */
import { AbortedError } from '../errors.js'
import { say } from '../language/say.js'
import { sayOnStderr } from './terminal/output.js'
import { endBySignal, onStopSignal } from './terminal/stop-signals.js'

export class UnitStop {
  readonly #controller = new AbortController()
  readonly #release: () => void

  constructor() {
    this.#release = onStopSignal((signal, number) => {
      if (number > 1) endBySignal(signal)
      sayOnStderr(say`${signal}: waiting for the requests in flight; a second signal stops immediately`)
      this.#controller.abort(new AbortedError(say`stopped`))
    })
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  close(): void {
    this.#release()
  }
}

/** Standard error of a run: permanent lines, and below them the live block of its progress. */
import { sayOnStderr } from './output.js'
import type { Progress } from './progress.js'

export class RunTerminal {
  #progress: Progress | null = null

  /** Writes a permanent line. */
  readonly print = (line: string): void => {
    if (this.#progress === null) sayOnStderr(line)
    else this.#progress.print(line)
  }

  show(progress: Progress): void {
    this.#progress = progress
    progress.start()
  }

  hide(): void {
    this.#progress?.stop()
    this.#progress = null
  }
}

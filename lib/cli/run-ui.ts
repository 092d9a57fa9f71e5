/** The page of a run in this process: `run --ui`. It is served until the process ends. */
import { say } from '../language/say.js'
import type { LiveRun } from '../pages/live-run.js'
import type { RunPages } from '../pages/run-pages.js'
import type { ProgressTracker } from '../report/progress.js'
import type { SeriesRecorder } from '../report/series.js'
import type { KunRun } from '../run/run.js'

/** Value of `--ui`: a port, or true for a free one. */
export type UiFlag = number | true | undefined

export class RunUi {
  readonly #pages: RunPages
  #live: LiveRun | null = null

  private constructor(pages: RunPages) {
    this.#pages = pages
  }

  /** Opens the port before anything is written. @throws {UsageError} the port is in use */
  static async start(flag: UiFlag, directory: string, print: (line: string) => void): Promise<RunUi | null> {
    if (flag === undefined) return null
    const { RunPages } = await import('../pages/run-pages.js')
    const pages = await RunPages.start({ directory, port: flag === true ? 0 : flag, portOption: '--ui' })
    print(say`page of this run: ${pages.url}`)
    return new RunUi(pages)
  }

  async attach(run: KunRun, series: SeriesRecorder, tracker: ProgressTracker): Promise<void> {
    const { LiveRun } = await import('../pages/live-run.js')
    this.#live = new LiveRun(run, series, tracker)
    this.#pages.attach(this.#live)
  }

  /** @param end 'input', 'limit', or the code of the error that stopped the run */
  ended(end: string): void {
    const kind = end === 'input' ? 'ended' : end === 'limit' ? 'limit' : 'stopped'
    this.#live?.end({ kind, code: kind === 'stopped' ? end : '', holder: null })
  }

  close(): Promise<void> {
    return this.#pages.close()
  }
}

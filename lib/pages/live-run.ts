/** The state of the run in this process, and what the buttons of its page do. */
import { AbortedError } from '../errors.js'
import { say } from '../language/say.js'
import { funnelStages } from '../publish/funnel-svg.js'
import type { ProgressTracker } from '../report/progress.js'
import type { SeriesRecorder } from '../report/series.js'
import type { KunRun } from '../run/run.js'
import { totalsOf } from './run-view.js'
import { livePairs } from './stored-records.js'
import type { ControlAction, LiveView, RunState } from './view.js'

export class LiveRun {
  readonly #run: KunRun
  readonly #series: SeriesRecorder
  readonly #tracker: ProgressTracker
  #end: RunState | null = null
  #isDraining = false

  constructor(run: KunRun, series: SeriesRecorder, tracker: ProgressTracker) {
    this.#tracker = tracker
    this.#run = run
    this.#series = series
  }

  /** Sets how the run ended, for the last event. */
  end(state: RunState): void {
    this.#end = state
  }

  async live(): Promise<LiveView> {
    const { counters, cuts } = this.#run.progress()
    const latest = this.#run.latest.snapshot()
    const state = this.#end ?? this.#state()
    return {
      state,
      startedAt: this.#series.startedAt,
      point: this.#series.latest,
      totals: { ...totalsOf(counters, []), cuts },
      stages: funnelStages(counters),
      latest: livePairs(latest),
      latestAll: latest.pairs,
      estimate: this.#end === null ? this.#tracker.read().estimate : null,
      units: null,
      controls: this.#controls(state),
      revision: String(cuts),
    }
  }

  async control(action: ControlAction): Promise<void> {
    if (action === 'pause') this.#run.pause()
    else if (action === 'resume') this.#run.resume()
    else {
      this.#isDraining = true
      // The run rejects with this error, which its owner reports.
      await this.#run.stop(new AbortedError(say`stopped from the page`))
    }
  }

  #state(): RunState {
    const kind = this.#isDraining ? 'draining' : this.#run.isPaused ? 'paused' : 'running'
    return { kind, code: '', holder: null }
  }

  #controls({ kind }: RunState): ControlAction[] {
    if (kind === 'running') return ['pause', 'drain']
    return kind === 'paused' ? ['resume', 'drain'] : []
  }
}

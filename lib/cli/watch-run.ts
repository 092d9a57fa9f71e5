/** Waits for a run to end; meanwhile shows its progress and writes timings.json. */
import { LockLostError } from '../errors.js'
import { say } from '../language/say.js'
import type { ProgressTracker } from '../report/progress.js'
import { writeProgress } from '../report/progress-file.js'
import { appendSeries, SeriesRecorder } from '../report/series.js'
import { appendTimings, type CallTimings, TimingsRecorder } from '../report/timings.js'
import { LatestWriter } from '../run/latest-file.js'
import type { KunRun, KunRunEnd } from '../run/run.js'
import { latestName, progressName } from '../storage/run-layout.js'
import { endOfError } from './run-end.js'
import { Progress } from './terminal/progress.js'
import type { RunTerminal } from './terminal/run-terminal.js'

/** `status` and `ui` read timings.json and series.json of a run that is in progress. */
const timingsEveryMs = 10_000
const pointEveryMs = 500
/** `tail`, `status` and `inspect` show pairs that are not committed yet, and the progress. */
const latestEveryMs = 2_000

type RunOutcome = { readonly end: KunRunEnd; readonly timings: CallTimings } | { readonly error: unknown }

interface WatchOptions {
  readonly directory: string
  readonly tracker: ProgressTracker
  readonly terminal: RunTerminal
  /** Called at the start with what measures the run. */
  readonly onSeries?: (series: SeriesRecorder, tracker: ProgressTracker) => Promise<void>
}

export async function watchRun(run: KunRun, options: WatchOptions): Promise<RunOutcome> {
  const { directory, tracker, terminal } = options
  const recorder = new TimingsRecorder(() => run.progress())
  const series = new SeriesRecorder(recorder.soFar().startedAt)
  const addPoint = (): void => {
    const { metrics, servers, counters } = run.progress()
    series.add({ metrics, servers, rows: Object.values(counters).reduce((sum, { rows }) => sum + rows, 0) })
  }
  addPoint()
  await options.onSeries?.(series, tracker)
  // One write after the other: concurrent ones would share a temporary file.
  let written = Promise.resolve()
  const write = (timings: CallTimings): void => {
    written = written
      .then(() => appendTimings(directory, timings))
      .then(() => appendSeries(directory, series.series()))
      .catch((error: Error) => terminal.print(say`cannot write timings.json and series.json: ${error.message}`))
  }
  const measuring = setInterval(addPoint, pointEveryMs).unref()
  const writing = setInterval(() => write(recorder.soFar()), timingsEveryMs).unref()
  const latest = new LatestWriter(directory, run.latest)
  const writeLatest = () =>
    latest.write().catch((error: Error) => terminal.print(say`cannot write ${latestName}: ${error.message}`))
  let progressWritten = Promise.resolve()
  const showProgress = (end: string): void => {
    const stored = { at: new Date().toISOString(), pid: process.pid, end, progress: tracker.read() }
    progressWritten = progressWritten
      .then(() => writeProgress(directory, stored))
      .catch((error: Error) => terminal.print(say`cannot write ${progressName}: ${error.message}`))
  }
  showProgress('running')
  const writingLatest = setInterval(() => {
    void writeLatest()
    showProgress('running')
  }, latestEveryMs).unref()
  terminal.show(new Progress(() => tracker.read()))
  const ended = await run.done.then(
    (end) => ({ end }),
    (error: unknown) => ({ error }),
  )
  terminal.hide()
  clearInterval(writing)
  clearInterval(measuring)
  addPoint()
  clearInterval(writingLatest)
  const timings = recorder.finish('end' in ended ? ended.end : endOfError(ended.error).reason)
  // After the lock was lost, the directory belongs to another process, timings.json too.
  if (!('error' in ended && ended.error instanceof LockLostError)) write(timings)
  await written
  if (!('error' in ended && ended.error instanceof LockLostError)) showProgress(timings.end)
  await progressWritten
  if ('end' in ended) await latest.discard()
  else if (!(ended.error instanceof LockLostError)) await writeLatest()
  return 'end' in ended ? { end: ended.end, timings } : ended
}

/** Metrics of a run in units for Prometheus: of the whole run, read from its store, and of the process that serves them. */
import { type MetricDefinition, single } from '../report/metric-definitions.js'
import type { UnitProgress } from '../report/unit-progress.js'

/** What one process did. */
export interface WorkerTally {
  /** Units whose result is this process's. */
  readonly committed: number
  /** Units that another process had finished first. */
  readonly already: number
  /** Failed attempts. */
  readonly failed: number
}

export interface UnitMetrics {
  readonly run: UnitProgress | null
  readonly worker: WorkerTally
}

export const unitMetricDefinitions: readonly MetricDefinition<UnitMetrics>[] = [
  ofRun('units_planned', 'Units in the plan so far.', (run) => run.planned),
  ofRun('units_plan_complete', '1 once prepare has planned every unit, else 0.', (run) => (run.planComplete ? 1 : 0)),
  ofRun('units_begun', 'Units with an attempt and without a result: in hand, or of a lost worker.', (run) => run.begun),
  ofRun('units_done', 'Units with a result.', (run) => run.done),
  ofRun('units_failed', 'Units without a result of which an attempt failed.', (run) => run.failed),
  ofRun('units_set_aside', 'Units that failed so often that no worker takes them.', (run) => run.setAside),
  ofRun('units_failed_attempts', 'Failed attempts at units without a result.', (run) => run.failedAttempts),
  ofRun('units_candidates', 'Candidates of the planned units.', (run) => run.candidates),
  ofRun('units_candidates_done', 'Candidates of the units with a result.', (run) => run.candidatesDone),
  ofRun('units_rows', 'Rows of the results.', (run) => run.rows),
  ofRun('units_tokens', 'Tokens of the replies of the results.', (run) => run.tokens),
  ofRun('units_work_seconds', 'Time of the attempts that gave the results, added up.', (run) => run.workSeconds),
  ofRun('units_per_second', 'Units a second from the first to the last result.', (run) => run.unitsPerSecond),
  ofRun('units_remaining_seconds', 'Estimated time to the last result, at that rate.', (run) => run.secondsLeft),
  ofWorker('committed', 'Units whose result is that of this process.', ({ committed }) => committed),
  ofWorker('already', 'Units that another process had finished first.', ({ already }) => already),
  ofWorker('failed', 'Failed attempts of this process.', ({ failed }) => failed),
]

function ofRun(name: string, help: string, of: (run: UnitProgress) => number | null): MetricDefinition<UnitMetrics> {
  return single('gauge', name, help, ({ run }) => run && of(run))
}

function ofWorker(name: string, help: string, of: (worker: WorkerTally) => number): MetricDefinition<UnitMetrics> {
  return single('counter', `worker_units_${name}_total`, help, ({ worker }) => of(worker))
}

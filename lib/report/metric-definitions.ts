/**
 * The metrics of a run for Prometheus, each said once: name, help, type, labels, and its values in the progress. Names and
 * units follow https://prometheus.io/docs/practices/naming/: base units, `_total` for counters, ratios from 0 to 1.
 */
import { bottlenecks } from './bottleneck.js'
import type { RunProgress, StageProgress } from './progress.js'

/** A value with its labels. */
interface MetricValue {
  readonly labels?: Readonly<Record<string, string>>
  readonly value: number
}

export interface MetricDefinition<Progress = RunProgress> {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge'
  readonly labels: readonly string[]
  readonly values: (progress: Progress) => readonly MetricValue[]
}

/** Returns a metric without labels. It has no value while `of` returns null. */
export function single<Progress = RunProgress>(
  type: MetricDefinition['type'],
  name: string,
  help: string,
  of: (progress: Progress) => number | null,
): MetricDefinition<Progress> {
  const values = (progress: Progress): MetricValue[] => {
    const value = of(progress)
    return value === null ? [] : [{ value }]
  }
  return { name: `kun_stream_${name}`, help, type, labels: [], values }
}

function ofStages(
  type: MetricDefinition['type'],
  name: string,
  help: string,
  of: (stage: StageProgress) => number | null,
): MetricDefinition {
  const values = ({ stages }: RunProgress): MetricValue[] =>
    stages.flatMap((stage) => {
      const value = of(stage)
      return value === null ? [] : [{ labels: { stage: stage.name }, value }]
    })
  return { name: `kun_stream_stage_${name}`, help, type, labels: ['stage'], values }
}

function ofServers(
  name: string,
  help: string,
  of: (server: RunProgress['servers'][number]) => number | null,
): MetricDefinition {
  const values = ({ servers }: RunProgress): MetricValue[] =>
    servers.flatMap((server) => {
      const value = of(server)
      return value === null ? [] : [{ labels: { server: server.endpoint }, value }]
    })
  return { name: `kun_stream_server_${name}`, help, type: 'gauge', labels: ['server'], values }
}

export const metricDefinitions: readonly MetricDefinition[] = [
  single(
    'gauge',
    'progress_ratio',
    'Share of the expected work that is done, at the stage that is furthest behind.',
    (run) => run.estimate.doneShare,
  ),
  single(
    'gauge',
    'remaining_seconds',
    'Estimated time to the end of the run; absent while it is unknown.',
    (run) => run.estimate.secondsLeft,
  ),
  single('gauge', 'elapsed_seconds', 'Time since this call of run started.', (run) => run.elapsedSeconds),
  single(
    'gauge',
    'candidates_left',
    'Estimated candidates that the model stages have not finished.',
    (run) => run.estimate.candidatesLeft,
  ),
  single('gauge', 'input_bytes', 'Size of all shards as they are stored.', (run) => run.input?.totalBytes ?? null),
  single(
    'gauge',
    'input_read_bytes',
    'Stored bytes that were read, with those of earlier calls.',
    (run) => run.input?.readBytes ?? null,
  ),
  single(
    'gauge',
    'input_decided_bytes',
    'Stored bytes that passed the deduplication, with those of earlier calls.',
    (run) => run.input?.decidedBytes ?? null,
  ),
  single('counter', 'read_bytes_total', 'Decompressed bytes read by this call.', (run) => run.readBytes),
  single('counter', 'rows_total', 'Finished pairs, with those of earlier calls.', (run) => run.rows),
  single(
    'counter',
    'documents_total',
    'Documents that reached the writer, with those of earlier calls.',
    (run) => run.totals?.documents ?? null,
  ),
  single(
    'counter',
    'chunks_total',
    'Chunks that reached the writer, with those of earlier calls.',
    (run) => run.totals?.chunks ?? null,
  ),
  single(
    'counter',
    'rejects_total',
    'Rejected documents, chunks and attempts, with those of earlier calls.',
    (run) => run.totals?.rejects ?? null,
  ),
  single('counter', 'cuts_total', 'Committed cuts, with those of earlier calls.', (run) => run.cuts),
  single('counter', 'requests_total', 'Requests with a reply.', (run) => run.requests),
  single('counter', 'tokens_total', 'Tokens of the replies received.', (run) => run.tokens),
  single(
    'counter',
    'stored_replies_used_total',
    'Calls served from stored replies, without a request.',
    (run) => run.storedRepliesUsed,
  ),
  single('counter', 'request_retries_total', 'Requests retried after a failure of a server.', (run) => run.retries),
  single('gauge', 'calls_waiting', 'Calls that wait for a slot of a server or for a retry.', (run) => run.callsWaiting),
  {
    name: 'kun_stream_bottleneck',
    help: '1 for what limits the run now, 0 for the others.',
    type: 'gauge',
    labels: ['stage'],
    values: ({ bottleneck }) =>
      bottlenecks.map((stage) => ({ labels: { stage }, value: stage === bottleneck ? 1 : 0 })),
  },
  ofStages('counter', 'in_total', 'Values that the stage took, in its unit.', (stage) => stage.in),
  ofStages('counter', 'out_total', 'Values that the stage passed on, in its unit.', (stage) => stage.out),
  ofStages('counter', 'dropped_total', 'Values that the stage dropped.', (stage) => stage.dropped),
  ofStages('counter', 'failed_total', 'Values that failed in the stage.', (stage) => stage.failed),
  ofStages(
    'gauge',
    'active',
    'Values in the stage: in work, or waiting for a server or an earlier value.',
    (stage) => stage.active,
  ),
  ofStages('counter', 'working_seconds_total', 'Time in which the stage worked.', (stage) => stage.workingSeconds),
  ofStages(
    'counter',
    'waiting_seconds_total',
    'Time in which the stage waited for input.',
    (stage) => stage.waitingSeconds,
  ),
  ofStages(
    'counter',
    'blocked_seconds_total',
    'Time in which a later stage blocked it.',
    (stage) => stage.blockedSeconds,
  ),
  ofStages(
    'counter',
    'requests_total',
    'Requests of the stage with a reply.',
    (stage) => stage.model?.requests ?? null,
  ),
  ofStages(
    'counter',
    'tokens_total',
    'Tokens of the replies that the stage received.',
    (stage) => stage.model?.tokens ?? null,
  ),
  ofStages(
    'counter',
    'request_seconds_total',
    'Time that requests of the stage were in flight, summed over concurrent ones.',
    (stage) => stage.model?.requestSeconds ?? null,
  ),
  ofServers('up', '1 while the server answers.', ({ down }) => (down ? 0 : 1)),
  ofServers('requests_in_flight', 'Requests in flight at the server.', ({ inFlight }) => inFlight),
  ofServers('request_limit', 'Requests in flight that the limiter allows.', ({ limit }) => limit),
  ofServers(
    'running',
    'Sequences that the server runs, by its own metrics.',
    ({ figures }) => figures?.running ?? null,
  ),
  ofServers(
    'waiting',
    'Requests in the queue of the server, by its own metrics.',
    ({ figures }) => figures?.waiting ?? null,
  ),
  ofServers(
    'kv_cache_usage_ratio',
    'Share of the KV cache in use, by its own metrics.',
    ({ figures }) => figures?.kvUsage ?? null,
  ),
]

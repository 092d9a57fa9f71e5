/**
 * The progress of a run as plain data: what the terminal, `status`, progress.json, /metrics and the web page show. Rates
 * are of the last ten seconds; the estimate has a window of its own (estimate.ts).
 */
import type { NodeMetrics } from '../core/metrics.js'
import type { EndpointMetrics } from '../llm/scheduler/endpoint-registry.js'
import type { ServersMetrics } from '../llm/scheduler/model-servers.js'
import type { StageWork } from '../llm/scheduler/stage-work.js'
import type { InputProgress } from '../sources/index.js'
import { type Bottleneck, bottleneckOf, isPassage, nodeShares, waitingOn } from './bottleneck.js'
import { estimateProgress, type ProgressEstimate } from './estimate.js'
import { type ProgressSample, SampleSeries } from './progress-sample.js'

/** JSON-safe. Counts are of this call of the command, unless they say otherwise. */
export interface RunProgress {
  readonly elapsedSeconds: number
  /** Share done, time left, and why there is none. */
  readonly estimate: ProgressEstimate
  /** Stored bytes of the input, with those of earlier calls; null for a graph that does not know them. */
  readonly input: InputProgress | null
  /** Decompressed bytes that were read, and their rate. */
  readonly readBytes: number
  readonly readBytesPerSecond: number
  /** Finished pairs (rows), with those of earlier calls; those of the open cut are included. */
  readonly rows: number
  readonly rowsPerSecond: number
  /** Records that reached the writer, in input order, with those of earlier calls; null for a graph without accounts. */
  readonly totals: RecordTotals | null
  /** Committed cuts, with those of earlier calls; null for a graph without cuts. */
  readonly cuts: number | null
  /** In the order of the graph: source, stages, sink. */
  readonly stages: readonly StageProgress[]
  readonly servers: readonly ServerProgress[]
  /** Replies received per second, and their tokens. */
  readonly requestsPerSecond: number
  readonly tokensPerSecond: number
  readonly requests: number
  readonly tokens: number
  /** Calls that were served from stored replies. */
  readonly storedRepliesUsed: number
  /** Requests that were retried after a failure of a server. */
  readonly retries: number
  /** Calls that wait for a slot of a server or for a retry. */
  readonly callsWaiting: number
  /** What limits the run now. */
  readonly bottleneck: Bottleneck
  /** The pair that was finished last; null before the first. */
  readonly lastPair: FinishedPair | null
}

/** A finished pair as people look at it; its texts may be shortened. */
interface FinishedPair {
  /** Public id, the same as in its row. */
  readonly id: string
  readonly split: string
  readonly instruction: string
  readonly output: string | null
  /** Grade of the score stage; null if there is none. */
  readonly score: number | null
}

/** Sums over all splits. */
interface RecordTotals {
  readonly documents: number
  readonly chunks: number
  readonly rows: number
  readonly rejects: number
}

/** A stage of the graph. */
export interface StageProgress {
  readonly name: string
  /** Unit of `in`, and of `out`: 'block', 'record' (a chunk) or 'attempt' (a pair). */
  readonly unitIn: string
  readonly unitOut: string
  readonly in: number
  readonly out: number
  readonly dropped: number
  readonly failed: number
  /** Values in work, or waiting in the stage for a server or an earlier value. */
  readonly active: number
  /** `out` per second. */
  readonly perSecond: number
  /** 'servers', 'source', 'a later stage', 'an earlier record', or the name of a stage; '' while it works. */
  readonly waitingFor: string
  readonly workingSeconds: number
  /** Waiting for input. */
  readonly waitingSeconds: number
  /** Blocked by a later stage. */
  readonly blockedSeconds: number
  /** Its requests; null for a stage that sent none so far. */
  readonly model: StageRequests | null
}

/** Requests of a stage. */
interface StageRequests {
  /** With a reply. */
  readonly requests: number
  readonly tokens: number
  /** Time in flight, summed over concurrent requests, failed ones included. */
  readonly requestSeconds: number
}

/** A model server. */
export type ServerProgress = Pick<EndpointMetrics, 'endpoint' | 'inFlight' | 'limit' | 'down' | 'figures'>

/** Figures of a running graph, as `KunRun.progress` returns them. */
interface TrackedProgress {
  readonly metrics: { readonly nodes: readonly NodeMetrics[] }
  readonly servers: ServersMetrics
  readonly readBytes: number
  readonly input: InputProgress | null
  readonly storedReplies: number
  readonly totals: RecordTotals | null
  readonly cuts: number | null
  readonly lastPair: FinishedPair | null
}

/** Window over which rates and shares of time are computed, ms. */
const recentMs = 10_000

interface RecentSample {
  readonly atMs: number
  readonly figures: TrackedProgress
}

/** Reads a graph and keeps what rates and the estimate need. Cheap: may be read several times per second. */
export class ProgressTracker {
  readonly #read: () => TrackedProgress
  readonly #rowsMax: number
  readonly #now: () => number
  readonly #recent: RecentSample[] = []
  readonly #series = new SampleSeries()
  readonly #startMs: number
  /** Rows of earlier calls. */
  readonly #rowsBefore: number

  /** @param rowsMax rows at which the run ends @param now milliseconds of a clock that does not jump */
  constructor(read: () => TrackedProgress, rowsMax = Number.POSITIVE_INFINITY, now = () => performance.now()) {
    this.#read = read
    this.#rowsMax = rowsMax
    this.#now = now
    this.#startMs = now()
    this.#rowsBefore = read().totals?.rows ?? 0
    this.read()
  }

  read(): RunProgress {
    const atMs = this.#now()
    const figures = this.#read()
    const recent = this.#recent
    recent.push({ atMs, figures })
    while (recent.length > 2 && atMs - (recent[0]?.atMs ?? 0) > recentMs) recent.shift()
    const first = recent[0] as RecentSample
    const seconds = Math.max(0.001, (atMs - first.atMs) / 1000)
    const rate = (of: (each: TrackedProgress) => number): number =>
      Math.max(0, of(figures) - of(first.figures)) / seconds
    const nodes = figures.metrics.nodes.filter(({ name }) => !isPassage(name))
    const shares = nodeShares(figures.metrics.nodes, recent.length > 1 ? first.figures.metrics.nodes : undefined)
    const rowsOf = (each: TrackedProgress): number => this.#rowsBefore + finishedPairs(each)
    this.#series.add(sampleOf(figures, atMs, rowsOf(figures)))
    return {
      elapsedSeconds: (atMs - this.#startMs) / 1000,
      estimate: estimateProgress(this.#series.read(), this.#rowsMax),
      input: figures.input,
      readBytes: figures.readBytes,
      readBytesPerSecond: rate(({ readBytes }) => readBytes),
      rows: rowsOf(figures),
      rowsPerSecond: rate(rowsOf),
      totals: figures.totals,
      cuts: figures.cuts,
      stages: nodes.map((node, place) => ({
        name: node.name,
        unitIn: node.unit,
        unitOut: nodes[place + 1]?.unit ?? node.unit,
        in: node.in,
        out: node.out,
        dropped: node.dropped,
        failed: node.failed,
        active: node.inFlight,
        perSecond: rate(({ metrics }) => metrics.nodes.find(({ name }) => name === node.name)?.out ?? 0),
        waitingFor: waitingOn(shares, node.name),
        workingSeconds: node.workingMs / 1000,
        waitingSeconds: node.waitingForInputMs / 1000,
        blockedSeconds: node.blockedByOutputMs / 1000,
        model: requestsOfStage(figures.servers.stages[node.name]),
      })),
      servers: figures.servers.endpoints.map(({ endpoint, inFlight, limit, down, figures: own }) => ({
        ...{ endpoint, inFlight, limit, down, figures: own },
      })),
      requestsPerSecond: rate(({ servers }) => requestsOf(servers)),
      tokensPerSecond: rate(({ servers }) => servers.tokens),
      requests: requestsOf(figures.servers),
      tokens: figures.servers.tokens,
      storedRepliesUsed: figures.servers.keptServed,
      retries: figures.servers.retries,
      callsWaiting: figures.servers.waiting,
      bottleneck: bottleneckOf(shares),
      lastPair: figures.lastPair && shownPair(figures.lastPair),
    }
  }

  /** Returns the samples on which the estimate rests. */
  samples(): readonly ProgressSample[] {
    return this.#series.read()
  }
}

function requestsOfStage(work: StageWork | undefined): StageRequests | null {
  return work === undefined
    ? null
    : { requests: work.requests, tokens: work.tokens, requestSeconds: work.slotMs / 1000 }
}

/** Leaves out the other fields of a record. */
function shownPair({ id, split, instruction, output, score }: FinishedPair): FinishedPair {
  return { id, split, instruction, output, score }
}

/** Values that the stage before the sink emitted, if they are pairs. */
function finishedPairs({ metrics }: TrackedProgress): number {
  const nodes = metrics.nodes.filter(({ name }) => !isPassage(name))
  return nodes.at(-1)?.unit === 'attempt' ? (nodes.at(-2)?.out ?? 0) : 0
}

function requestsOf({ stages }: ServersMetrics): number {
  return Object.values(stages).reduce((sum, { requests }) => sum + requests, 0)
}

function sampleOf({ metrics, servers, input, storedReplies }: TrackedProgress, atMs: number, rows: number) {
  const unknown = { readBytes: 0, decidedBytes: 0, totalBytes: null }
  return { atMs, input: input ?? unknown, nodes: metrics.nodes, work: servers.stages, storedReplies, rows }
}

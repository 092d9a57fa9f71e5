/** Derives what `Progress` shows from the metrics of a run: stages and what they wait for, servers and their limits. */
import type { NodeMetrics } from '../../core/metrics.js'
import type { EndpointMetrics } from '../../llm/scheduler/endpoint-registry.js'
import { bottleneckOf, isPassage, nodeShares, waitingOn } from '../../report/bottleneck.js'
import type { KunRun, KunRunProgress } from '../../run/run.js'
import type { ProgressState } from './progress.js'

/** Window over which the shares of waiting and working time are computed. */
const windowMs = 5_000
const endpointsShownMax = 4

/** The run whose progress is shown. */
interface Shown extends Pick<KunRun, 'bytesDone'> {
  /** `cuts` is null for a graph without cuts. */
  progress(): Pick<KunRunProgress, 'metrics' | 'servers' | 'readBytes'> & { readonly cuts: number | null }
}

/** Keeps the metrics of the last seconds. Bytes read by earlier calls of `run` count as read. */
export class RunState {
  readonly #run: Shown
  readonly #totalBytes: number | null
  readonly #samples: { readonly atMs: number; readonly nodes: readonly NodeMetrics[] }[] = []

  constructor(run: Shown, totalBytes: number | null) {
    this.#run = run
    this.#totalBytes = totalBytes
  }

  read(): ProgressState {
    const { metrics, servers, readBytes, cuts } = this.#run.progress()
    const { bytesDone } = this.#run
    const atMs = performance.now()
    this.#samples.push({ atMs, nodes: metrics.nodes })
    while (this.#samples.length > 2 && atMs - (this.#samples[0]?.atMs ?? 0) > windowMs) this.#samples.shift()
    const earlier = this.#samples.length > 1 ? this.#samples[0]?.nodes : undefined
    const shares = nodeShares(metrics.nodes, earlier)
    const bottleneck = bottleneckOf(shares)
    return {
      stages: metrics.nodes
        .filter(({ name }) => !isPassage(name))
        .map(({ name, in: taken, out, inFlight }) => ({
          name,
          in: taken,
          out,
          inFlight,
          waitingOn: waitingOn(shares, name),
          isBottleneck: name === bottleneck,
        })),
      endpoints: servers.endpoints.slice(0, endpointsShownMax).map(endpointText),
      bottleneck: bottleneck === 'servers' ? 'model servers' : bottleneck,
      readBytes: (bytesDone ?? 0) + readBytes,
      totalBytes: bytesDone === null ? null : this.#totalBytes,
      tokens: servers.tokens,
      cuts,
      note: servers.waiting > 0 ? `${servers.waiting.toLocaleString('en-US')} calls waiting` : '',
    }
  }
}

/** Example: 'localhost:8000  412 of 512 in flight, 374 running, 38 waiting, KV 81 %' */
function endpointText({ endpoint, inFlight, limit, down, figures }: EndpointMetrics): string {
  const where = URL.canParse(endpoint) ? new URL(endpoint).host : endpoint
  if (down) return `${where}  down, retrying`
  const own = figures === null ? '' : `, ${figures.running} running, ${figures.waiting} waiting`
  const cache = figures?.kvUsage == null ? '' : `, KV ${Math.round(100 * figures.kvUsage)} %`
  return `${where}  ${inFlight} of ${limit} in flight${own}${cache}`
}

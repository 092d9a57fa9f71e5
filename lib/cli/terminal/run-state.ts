/** What a run shows while it works, out of its figures: stages with what they wait for, servers with their limits. */
import type { NodeMetrics } from '../../core/metrics.js'
import type { EndpointMetrics } from '../../llm/scheduler/endpoint-registry.js'
import { bottleneckOf, isPassage, nodeShares, waitingOn } from '../../report/bottleneck.js'
import type { KunRun } from '../../run/run.js'
import type { ProgressState } from './progress.js'

/** Who waits for whom is judged over this much of the past. */
const windowMs = 5_000
const endpointsShownMax = 4

/** Reads a session again and again; keeps the looks of the last seconds. What earlier calls of `run` read counts as read. */
export class RunState {
  readonly #looks: { readonly atMs: number; readonly nodes: readonly NodeMetrics[] }[] = []

  constructor(
    private readonly session: Pick<KunRun, 'progress' | 'bytesDone'>,
    private readonly totalBytes: number | null,
  ) {}

  read(): ProgressState {
    const { metrics, servers, readBytes, cuts } = this.session.progress()
    const { bytesDone } = this.session
    const atMs = performance.now()
    this.#looks.push({ atMs, nodes: metrics.nodes })
    while (this.#looks.length > 2 && atMs - (this.#looks[0]?.atMs ?? 0) > windowMs) this.#looks.shift()
    const earlier = this.#looks.length > 1 ? this.#looks[0]?.nodes : undefined
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
      totalBytes: bytesDone === null ? null : this.totalBytes,
      tokens: servers.tokens,
      cuts,
      note: servers.waiting > 0 ? `${servers.waiting.toLocaleString('en-US')} calls wait` : '',
    }
  }
}

/** Example: 'localhost:8000  412 of 512 in flight, 38 wait there, KV 81 %' */
function endpointText({ endpoint, inFlight, limit, down, figures }: EndpointMetrics): string {
  const where = URL.canParse(endpoint) ? new URL(endpoint).host : endpoint
  if (down) return `${where}  is out, asked again and again`
  const own = figures === null ? '' : `, ${figures.running} run and ${figures.waiting} wait there`
  const cache = figures?.kvUsage == null ? '' : `, KV ${Math.round(100 * figures.kvUsage)} %`
  return `${where}  ${inFlight} of ${limit} in flight${own}${cache}`
}

/**
 * series.json: figures of the latest calls of `run` over time, for the pages. A point holds sums since the start of its
 * call, so that leaving out points keeps the others exact. Not part of the dataset, like timings.json.
 */
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { NodeMetrics } from '../core/metrics.js'
import type { ServersMetrics } from '../llm/scheduler/model-servers.js'
import { seriesName } from '../storage/run-layout.js'
import { bottleneckOf, isPassage, nodeShares } from './bottleneck.js'
import type { CallSeries, EndpointPoint, NodePoint, SeriesPoint } from './series-point.js'

/** Points of a call. When they are reached, every second one is dropped and the interval doubles. */
const pointsMax = 160
const firstIntervalMs = 1_000
/** Calls that are kept, the latest ones. */
const callsMax = 4
/** Endpoints of a point, the first ones. */
const endpointsMax = 16

const nodePoint: z.ZodType<NodePoint> = z.object({
  name: z.string(),
  unit: z.string(),
  in: z.number(),
  out: z.number(),
  inFlight: z.number(),
  working: z.number(),
  blocked: z.number(),
})

const endpointPoint: z.ZodType<EndpointPoint> = z.object({
  endpoint: z.string(),
  inFlight: z.number(),
  limit: z.number(),
  down: z.boolean(),
  running: z.number().nullable(),
  waiting: z.number().nullable(),
  kvUsage: z.number().nullable(),
})

const point: z.ZodType<SeriesPoint> = z.object({
  seconds: z.number(),
  bottleneck: z.string(),
  nodes: z.array(nodePoint),
  tokens: z.number(),
  callsWaiting: z.number(),
  rows: z.number(),
  endpoints: z.array(endpointPoint),
  memoryBytes: z.number(),
})

const callSeries: z.ZodType<CallSeries> = z.object({ startedAt: z.string(), points: z.array(point) })

/** Figures of a run in progress. */
interface Measured {
  readonly metrics: { readonly nodes: readonly NodeMetrics[] }
  readonly servers: ServersMetrics
  readonly rows: number
}

/** Keeps the points of a call. `latest` is measured at each call of `add`. */
export class SeriesRecorder {
  readonly startedAt: string
  readonly #startedMs = performance.now()
  #points: SeriesPoint[] = []
  #intervalMs = firstIntervalMs
  #nodes: readonly NodeMetrics[] = []
  /** Nodes at the last point that is kept: shares of a kept point are of the time since then. */
  #keptNodes: readonly NodeMetrics[] = []
  #latest: SeriesPoint | null = null

  /** @param startedAt that of the call in timings.json */
  constructor(startedAt: string) {
    this.startedAt = startedAt
  }

  /** The last measured point; null before the first. */
  get latest(): SeriesPoint | null {
    return this.#latest
  }

  add(measured: Measured): void {
    const { nodes } = measured.metrics
    const seconds = (performance.now() - this.#startedMs) / 1000
    this.#latest = pointOf(measured, this.#nodes, seconds)
    this.#nodes = nodes
    const last = this.#points.at(-1)
    if (last !== undefined && (seconds - last.seconds) * 1000 < this.#intervalMs) return
    this.#points.push(pointOf(measured, this.#keptNodes, seconds))
    this.#keptNodes = nodes
    if (this.#points.length < pointsMax) return
    this.#points = this.#points.filter((_, at) => at % 2 === 0)
    this.#intervalMs *= 2
  }

  series(): CallSeries {
    const last = this.#points.at(-1)
    const isNewer = this.#latest !== null && this.#latest.seconds > (last?.seconds ?? -1)
    return {
      startedAt: this.startedAt,
      points: isNewer ? [...this.#points, this.#latest as SeriesPoint] : [...this.#points],
    }
  }
}

function pointOf({ metrics, servers, rows }: Measured, before: readonly NodeMetrics[], seconds: number): SeriesPoint {
  const shares = nodeShares(metrics.nodes, before)
  // The wait for credit is a node of its own: it blocks the stage before it.
  const gate = shares.find(({ name }) => isPassage(name) && name !== 'order')?.blocked ?? 0
  const shown = metrics.nodes.filter(({ name }) => !isPassage(name))
  return {
    seconds: rounded(seconds),
    bottleneck: bottleneckOf(shares),
    nodes: shown.map(({ name, unit, in: taken, out, inFlight }) => {
      const { working = 0, blocked = 0 } = shares.find((share) => share.name === name) ?? {}
      const held = name === 'dedup' ? Math.max(blocked, gate) : blocked
      return { name, unit, in: taken, out, inFlight, working: rounded(working), blocked: rounded(held) }
    }),
    tokens: servers.tokens,
    callsWaiting: servers.waiting,
    rows,
    endpoints: servers.endpoints.slice(0, endpointsMax).map(({ endpoint, inFlight, limit, down, figures }) => ({
      endpoint,
      inFlight,
      limit,
      down,
      running: figures?.running ?? null,
      waiting: figures?.waiting ?? null,
      kvUsage: figures?.kvUsage == null ? null : rounded(figures.kvUsage),
    })),
    memoryBytes: process.memoryUsage.rss(),
  }
}

const seriesFile = z.object({ calls: z.array(callSeries) })

/** Adds a call to series.json, or replaces its earlier entry. A file that cannot be read is replaced. */
export async function appendSeries(directory: string, call: CallSeries): Promise<void> {
  const path = join(directory, seriesName)
  const others = (await readSeries(directory)).filter(({ startedAt }) => startedAt !== call.startedAt)
  await writeFile(`${path}.tmp`, `${JSON.stringify({ calls: [...others, call].slice(-callsMax) })}\n`)
  await rename(`${path}.tmp`, path)
}

/** Returns the series of the latest calls, oldest first; none if series.json does not exist or cannot be read. */
export async function readSeries(directory: string): Promise<readonly CallSeries[]> {
  try {
    return seriesFile.parse(JSON.parse(await readFile(join(directory, seriesName), 'utf8'))).calls
  } catch {
    // No result depends on these figures.
    return []
  }
}

function rounded(value: number): number {
  return Number(value.toFixed(3))
}

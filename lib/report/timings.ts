/**
 * timings.json: throughput of each call of `run`, its host and its bottleneck. No other file of the run directory holds
 * times or hosts. Not part of the dataset: a run continues if it cannot be written.
 */
import { readFile, rename, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import type { NodeMetrics } from '../core/metrics.js'
import type { ServersMetrics } from '../llm/scheduler/model-servers.js'
import { timingsName } from '../storage/run-layout.js'
import { bottleneckOf, bottlenecks, isPassage, nodeShares } from './bottleneck.js'

/** Calls of `run` that are kept, the latest ones. */
const callsMax = 100
const sampleEveryMs = 500

/** Figures of a run in progress, which are sampled. */
interface TimedProgress {
  readonly metrics: { readonly nodes: readonly NodeMetrics[]; readonly reorderPeakBytes: number }
  readonly servers: ServersMetrics
  readonly readBytes: number
  readonly cuts: number
}

const nodeTimings = z.object({
  name: z.string(),
  unit: z.string(),
  in: z.number(),
  out: z.number(),
  outPerSecond: z.number(),
  workingSeconds: z.number(),
  waitingForInputSeconds: z.number(),
  blockedByOutputSeconds: z.number(),
})
type NodeTimings = z.output<typeof nodeTimings>

const endpointTimings = z.object({
  endpoint: z.string(),
  limiter: z.string(),
  inFlightMean: z.number(),
  inFlightMost: z.number(),
  limitMean: z.number(),
  downSeconds: z.number(),
  // From the server's metrics; null if it has none.
  runningMean: z.number().nullable(),
  waitingMean: z.number().nullable(),
  kvUsageMean: z.number().nullable(),
  preemptions: z.number().nullable(),
})
type EndpointTimings = z.output<typeof endpointTimings>

const callTimings = z.object({
  startedAt: z.string(),
  seconds: z.number(),
  /** 'input' or 'limit': complete; 'running': in progress, or killed; otherwise the code of the error that stopped it. */
  end: z.string(),
  host: z.string(),
  node: z.string(),
  bottleneck: z.enum(bottlenecks),
  peakMemoryBytes: z.number(),
  peakReorderBytes: z.number(),
  readBytes: z.number(),
  readBytesPerSecond: z.number(),
  /** Cuts committed by all calls of `run` up to its end. */
  cuts: z.number(),
  tokens: z.number(),
  tokensPerSecond: z.number(),
  retries: z.number(),
  repliesServedFromDisk: z.number(),
  nodes: z.array(nodeTimings),
  endpoints: z.array(endpointTimings),
})
/** One call of `run`. Rates are means over the whole call. */
export type CallTimings = Readonly<z.output<typeof callTimings>>

interface EndpointSums {
  limiter: string
  samples: number
  inFlight: number
  most: number
  limit: number
  down: number
  figures: number
  running: number
  waiting: number
  kv: number
  preemptionsFirst: number
  preemptionsLast: number
}

/** Samples a run from its start. Call `finish` when the run has ended. */
export class TimingsRecorder {
  readonly #startedAt = new Date()
  readonly #startedMs = performance.now()
  readonly #endpoints = new Map<string, EndpointSums>()
  readonly #timer: NodeJS.Timeout
  readonly #read: () => TimedProgress

  constructor(read: () => TimedProgress) {
    this.#read = read
    this.#sample()
    this.#timer = setInterval(() => this.#sample(), sampleEveryMs)
    this.#timer.unref()
  }

  /** Stops sampling and returns the final figures. @param end 'input', 'limit', or an error's code */
  finish(end: string): CallTimings {
    clearInterval(this.#timer)
    return this.soFar(end)
  }

  /** Returns the figures so far. */
  soFar(end = 'running'): CallTimings {
    const { metrics, servers, readBytes, cuts } = this.#read()
    const seconds = (performance.now() - this.#startedMs) / 1000
    const rate = (amount: number): number => rounded(amount / Math.max(0.001, seconds))
    return {
      startedAt: this.#startedAt.toISOString(),
      seconds: rounded(seconds),
      end,
      host: hostname(),
      node: process.version,
      bottleneck: bottleneckOf(nodeShares(metrics.nodes)),
      peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
      peakReorderBytes: metrics.reorderPeakBytes,
      readBytes,
      readBytesPerSecond: rate(readBytes),
      cuts,
      tokens: servers.tokens,
      tokensPerSecond: rate(servers.tokens),
      retries: servers.retries,
      repliesServedFromDisk: servers.keptServed,
      nodes: metrics.nodes.filter(({ name }) => !isPassage(name)).map((node) => timingsOfNode(node, rate)),
      endpoints: [...this.#endpoints].map(([endpoint, sums]) => timingsOfEndpoint(endpoint, sums)),
    }
  }

  #sample(): void {
    for (const { endpoint, inFlight, limit, limiter, down, figures } of this.#read().servers.endpoints) {
      const sums = this.#endpoints.get(endpoint) ?? noSums()
      this.#endpoints.set(endpoint, sums)
      sums.limiter = limiter
      sums.samples++
      sums.inFlight += inFlight
      sums.most = Math.max(sums.most, inFlight)
      sums.limit += limit
      sums.down += down ? 1 : 0
      if (figures === null) continue
      if (sums.figures === 0) sums.preemptionsFirst = figures.preemptions
      sums.figures++
      sums.running += figures.running
      sums.waiting += figures.waiting
      sums.kv += figures.kvUsage ?? 0
      sums.preemptionsLast = figures.preemptions
    }
  }
}

const timingsFile = z.object({ calls: z.array(callTimings) })

/** Adds a call to timings.json, or replaces its earlier entry. A file that cannot be read is replaced. */
export async function appendTimings(directory: string, call: CallTimings): Promise<void> {
  const path = join(directory, timingsName)
  const others = (await readTimings(directory)).filter(({ startedAt }) => startedAt !== call.startedAt)
  const calls = [...others, call].slice(-callsMax)
  await writeFile(`${path}.tmp`, `${JSON.stringify({ calls }, null, 2)}\n`)
  await rename(`${path}.tmp`, path)
}

/** Returns the calls of `run`, oldest first; none if timings.json does not exist or cannot be read. */
export async function readTimings(directory: string): Promise<readonly CallTimings[]> {
  try {
    return timingsFile.parse(JSON.parse(await readFile(join(directory, timingsName), 'utf8'))).calls
  } catch {
    // No result depends on these figures.
    return []
  }
}

function timingsOfNode(node: NodeMetrics, rate: (amount: number) => number): NodeTimings {
  return {
    name: node.name,
    unit: node.unit,
    in: node.in,
    out: node.out,
    outPerSecond: rate(node.out),
    workingSeconds: rounded(node.workingMs / 1000),
    waitingForInputSeconds: rounded(node.waitingForInputMs / 1000),
    blockedByOutputSeconds: rounded(node.blockedByOutputMs / 1000),
  }
}

function timingsOfEndpoint(endpoint: string, sums: EndpointSums): EndpointTimings {
  const mean = (sum: number): number => rounded(sum / Math.max(1, sums.samples))
  const figure = (sum: number): number | null => (sums.figures === 0 ? null : rounded(sum / sums.figures))
  return {
    endpoint,
    limiter: sums.limiter,
    inFlightMean: mean(sums.inFlight),
    inFlightMost: sums.most,
    limitMean: mean(sums.limit),
    downSeconds: rounded((sums.down * sampleEveryMs) / 1000),
    runningMean: figure(sums.running),
    waitingMean: figure(sums.waiting),
    kvUsageMean: figure(sums.kv),
    preemptions: sums.figures === 0 ? null : sums.preemptionsLast - sums.preemptionsFirst,
  }
}

function noSums(): EndpointSums {
  const zeros = { samples: 0, inFlight: 0, most: 0, limit: 0, down: 0, figures: 0, running: 0, waiting: 0, kv: 0 }
  return { limiter: '', ...zeros, preemptionsFirst: 0, preemptionsLast: 0 }
}

function rounded(value: number): number {
  return Number(value.toFixed(3))
}

/** Runs kun-stream's own limiter from a cold start against the server, with more calls waiting than it sends. */
import { setTimeout as sleep } from 'node:timers/promises'
import { KunStreamError } from '../errors.js'
import { openServers } from '../llm/scheduler/model-servers.js'
import type { LimiterResult } from './results.js'
import { modelInput, type TargetOptions } from './target.js'
import { type RequestOptions, type Workload, workloadRequest } from './workloads.js'

interface LimiterRunOptions {
  readonly target: TargetOptions
  readonly workload: Workload
  readonly request: RequestOptions
  readonly firstNumber: number
  /** Best rate of the sweep, and a request's latency there, ms. */
  readonly bestRate: number
  readonly latencyMs: number
  readonly secondsPerLevel: number
  readonly admit: () => boolean
  readonly signal: AbortSignal
}

/** Calls that wait, for each one that the sweep's highest level has in flight. */
const callsPerSlot = 2
/** Least time for the limiter to find its limit, s; and in latencies at the best level. */
const warmUpSecondsMin = 8
const warmUpLatencies = 4
const limitLookMs = 100

/** @returns null if nothing was finished, or if it was stopped by `signal` or `admit` before it was measured */
export async function limiterRun(options: LimiterRunOptions): Promise<LimiterResult | null> {
  const { target, workload, secondsPerLevel, latencyMs, signal } = options
  const servers = await openServers({ models: { bench: modelInput(target) }, seed: target.seed })
  const ended = new AbortController()
  const finished: { atMs: number; tokens: number }[] = []
  let isExhausted = false
  let number = options.firstNumber
  const model = servers.model('bench')
  const caller = async (): Promise<void> => {
    while (!ended.signal.aborted) {
      if (!options.admit()) {
        isExhausted = true
        return
      }
      const own = number++
      const answer = await model.ask({
        ...{ record: `bench-${own}`, position: [own], stage: workload.name, stageOrder: 0, signal: ended.signal },
        request: workloadRequest(workload, own, options.request),
        fault: () => null,
      })
      const tokens = 'reply' in answer ? answer.reply.completionTokens : 0
      finished.push({ atMs: performance.now(), tokens })
    }
  }
  const callers = Array.from({ length: callsPerSlot * target.concurrencyMax }, () => caller())
  const all = Promise.allSettled(callers)
  const warmUpSeconds = Math.max(warmUpSecondsMin, (warmUpLatencies * latencyMs) / 1000)
  const seconds = Math.max(secondsPerLevel, (2 * latencyMs) / 1000)
  const limits: number[] = []
  const startedMs = performance.now()
  const fromMs = startedMs + 1000 * warmUpSeconds
  const toMs = fromMs + 1000 * seconds
  let kind = ''
  let failure: unknown = null
  try {
    while (performance.now() < toMs && !isExhausted) {
      await sleep(limitLookMs, undefined, { signal })
      const [endpoint] = servers.metrics().endpoints
      kind = endpoint?.limiter ?? ''
      if (performance.now() >= fromMs && endpoint !== undefined) limits.push(endpoint.limit)
    }
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    ended.abort(new Error('the measurement has ended'))
    await servers.close()
    // Calls that the end aborts are rejected with its reason.
    const failed = (await all).find((each) => each.status === 'rejected' && each.reason !== ended.signal.reason)
    failure = failed?.status === 'rejected' ? failed.reason : null
  }
  if (failure !== null && !(failure instanceof KunStreamError)) throw failure
  const inSpan = finished.filter(({ atMs }) => atMs >= fromMs && atMs < toMs)
  if (signal.aborted || isExhausted || inSpan.length === 0) return null
  const sum = inSpan.reduce((all, { tokens }) => all + (workload.outputTokens === 1 ? 1 : tokens), 0)
  return {
    ...{ kind, seconds, rate: sum / seconds, shareOfBest: sum / seconds / options.bestRate },
    limit: limits.sort((a, b) => a - b)[Math.floor(limits.length / 2)] ?? 0,
    warmUpSeconds,
  }
}

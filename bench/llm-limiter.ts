/**
 * The limiter alone on the simulator's engine, on a virtual clock: how full it keeps a server, against fixed limits and
 * against the same server with a queue that is never empty. Seconds of simulated time cost milliseconds here.
 */

import { GoodputLimiter } from '../lib/llm/endpoint/goodput-limiter.js'
import { KvBudget } from '../lib/llm/endpoint/kv-budget.js'
import { FixedLimiter, type Limiter, pollMs } from '../lib/llm/endpoint/limiter.js'
import { ServerLimiter } from '../lib/llm/endpoint/server-limiter.js'
import { generator, logNormal } from '../lib/simulator/random.js'
import type { EngineOptions } from '../lib/simulator/vllm/engine.js'
import { Engine } from '../lib/simulator/vllm/engine.js'
import { type EnginePresetName, enginePresets } from '../lib/simulator/vllm/presets.js'
import { median } from './median.js'

export interface Scenario {
  readonly preset: EnginePresetName
  /** Differs from the preset. */
  readonly engine?: Partial<EngineOptions>
  readonly seed: number
  readonly durationMs: number
  /** Left out of the figures, except of the time to full rate. */
  readonly warmUpMs: number
  readonly promptTokens: readonly [number, number]
  readonly outputMean: number
  readonly outputSigma: number
  readonly outputMax: number
  /** Capacity from a time on. */
  readonly changes?: readonly { readonly atMs: number; readonly speed?: number; readonly runningMax?: number }[]
}

export interface Outcome {
  readonly tokensPerSecond: number
  /** Tokens of every second, from the start. */
  readonly bySecond: readonly number[]
  readonly requests: number
  readonly preemptions: number
  /** Median of waiting over running, at each look after warm-up. */
  readonly waitingShare: number
  readonly kvMedian: number
  readonly limitMedian: number
}

export const limiters = {
  queue: () => new ServerLimiter(8192),
  goodput: () => new GoodputLimiter(8192),
  fixed64: () => new FixedLimiter(64),
  fixed500: () => new FixedLimiter(500),
  fixed5000: () => new FixedLimiter(5000),
} satisfies Record<string, () => Limiter>

/** Runs a limiter against an engine; calls never run out. */
export function drive(limiter: Limiter, scenario: Scenario): Outcome {
  const engine = new Engine({ ...enginePresets[scenario.preset].engine, ...scenario.engine })
  const random = generator(scenario.seed)
  const shares: number[] = []
  const kv: number[] = []
  const limits: number[] = []
  const bySecond: number[] = []
  const changes = [...(scenario.changes ?? [])]
  let inFlight = 0
  let requests = 0
  let preemptions = 0

  // As an endpoint does it: only a server's metrics tell how full its KV cache is.
  const budget = limiter.kind === 'queue' ? new KvBudget() : null

  const send = (nowMs: number) => {
    while (inFlight < limiter.limit && budget?.isFull(nowMs) !== true) {
      const [least, most] = scenario.promptTokens
      const promptTokens = Math.round(least + (most - least) * random())
      const length = logNormal(scenario.outputMean, scenario.outputSigma, random(), random())
      const outputTokens = Math.max(1, Math.min(scenario.outputMax, Math.round(length)))
      inFlight++
      const estimated = budget?.noteSent(1, promptTokens, nowMs) ?? 0
      engine.submit({ promptTokens, outputTokens, onToken: note }, (result) => {
        inFlight--
        const latencyMs = result.doneMs - result.arrivedMs
        limiter.noteFinished({ atMs: result.doneMs, latencyMs, tokens: outputTokens }, inFlight)
        budget?.noteEnded(1, estimated, nowMs)
        budget?.noteReply({ promptUnits: promptTokens, promptTokens, replyTokens: outputTokens, latencyMs })
        if (result.doneMs < scenario.warmUpMs) return
        requests++
        preemptions += result.preemptions
      })
    }
    limiter.noteWaiting()
  }
  const note = (_tokens: number, nowMs: number) => {
    const second = Math.floor(nowMs / 1000)
    bySecond[second] = (bySecond[second] ?? 0) + 1
  }

  for (let nowMs = 0, nextPollMs = pollMs; nowMs < scenario.durationMs; ) {
    send(nowMs)
    nowMs = Math.min(nextPollMs, engine.nextEventMs ?? nextPollMs)
    engine.advance(nowMs)
    if (changes[0] !== undefined && nowMs >= changes[0].atMs) engine.setCapacity(changes.shift() as { speed: number })
    if (nowMs < nextPollMs) continue
    nextPollMs += pollMs
    const { metrics } = engine
    const { running, waiting, generationTokens } = metrics
    const sample = { atMs: nowMs, running, waiting, kvUsage: metrics.kvCacheUsage, generationTokens }
    limiter.noteSample({ ...sample, preemptions: metrics.preemptions }, inFlight)
    budget?.noteSample({ ...sample, preemptions: metrics.preemptions })
    if (nowMs < scenario.warmUpMs) continue
    shares.push(waiting / Math.max(1, running))
    kv.push(metrics.kvCacheUsage)
    limits.push(limiter.limit)
  }
  const from = scenario.warmUpMs / 1000
  const seconds = Array.from({ length: Math.floor(scenario.durationMs / 1000) }, (_, second) => bySecond[second] ?? 0)
  return {
    tokensPerSecond: mean(seconds.slice(from)),
    bySecond: seconds,
    requests,
    preemptions,
    waitingShare: median(shares, 0),
    kvMedian: median(kv, 0),
    limitMedian: median(limits, 0),
  }
}

/** First second from which five seconds together reach a share of `rate`. */
export function secondsUntil(bySecond: readonly number[], rate: number, from = 0): number {
  for (let second = from; second + 5 <= bySecond.length; second++) {
    if (mean(bySecond.slice(second, second + 5)) >= rate) return second - from
  }
  return Number.POSITIVE_INFINITY
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)
}

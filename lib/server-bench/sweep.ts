/** Measures a workload at rising concurrency, refines around the knee, and measures all levels again for their noise. */
import { ClosedLoop } from './closed-loop.js'
import { noiseOf } from './noise.js'
import { kneeResult } from './rates.js'
import { figuresOf, mean, type RequestRecord } from './request-record.js'
import { type LevelResult, rateOf, type StopReason, type SweepResult } from './results.js'
import type { Target } from './target.js'
import { type RequestOptions, type Workload, workloadRequest } from './workloads.js'

interface SweepOptions {
  readonly target: Target
  readonly workload: Workload
  readonly request: RequestOptions
  readonly secondsPerLevel: number
  readonly concurrencyMax: number
  readonly repeats: number
  /** Whether another request may be sent. */
  readonly admit: () => boolean
  /** Number of the first request: prompts of one benchmark are never repeated. */
  readonly firstNumber: number
  readonly onLevel: (level: LevelResult) => void
  /** Stops the measurement: what is measured so far is returned. */
  readonly signal: AbortSignal
}

/** The coarse sweep ends after this many doublings in a row below `growthMin`. */
const flatDoublings = 2
const growthMin = 1.03
/** Levels around the knee, as shares of it. */
const refinements = [0.7, 1, 1.4]
/** Longest wait for each worker's first request at a level, and for the last ones, ms. */
const settleMsMax = 60_000
/** Longest time over which new workers start, ms. */
const spreadMsMax = 5000
/** A level with more failed requests than this share ends the sweep. */
const failureShareMax = 0.5
/** Messages of failures that a result lists. */
const failuresMax = 5

/** @throws {Error} of a bug; failures of the server are part of the result */
export async function sweep(options: SweepOptions): Promise<SweepResult> {
  return new Sweep(options).run()
}

class Sweep {
  readonly #options: SweepOptions
  readonly #loop: ClosedLoop
  readonly #abort = new AbortController()
  readonly #levels: LevelResult[] = []
  readonly #failures = new Map<string, number>()
  readonly #unit: SweepResult['unit']
  #tokens = { prompt: 0, output: 0, requests: 0 }
  #spreadMs = 0

  constructor(options: SweepOptions) {
    this.#options = options
    this.#unit = options.workload.outputTokens === 1 ? 'requests' : 'tokens'
    const { target, workload, request, firstNumber, admit, signal } = options
    const own = AbortSignal.any([signal, this.#abort.signal])
    this.#loop = new ClosedLoop({
      admit,
      send: (number) => target.send(workloadRequest(workload, firstNumber + number, request), number, own),
    })
  }

  async run(): Promise<SweepResult> {
    const ended = await this.#measure()
    this.#abort.abort(new Error('the sweep has ended'))
    await this.#loop.stop()
    const levels = [...this.#levels].sort((a, b) => a.concurrency - b.concurrency || a.repeat - b.repeat)
    const { prompt, output, requests } = this.#tokens
    return {
      workload: this.#options.workload.name,
      promptTokens: requests === 0 ? 0 : prompt / requests,
      outputTokens: requests === 0 ? 0 : output / requests,
      unit: this.#unit,
      levels,
      knee: kneeResult(levels, this.#unit),
      noise: noiseOf(levels, this.#unit),
      limiter: null,
      ended,
      failures: [...this.#failures].sort(([, a], [, b]) => b - a).slice(0, failuresMax),
    }
  }

  async #measure(): Promise<StopReason> {
    try {
      const ended = await this.#coarse()
      if (ended !== 'flat' && ended !== 'concurrency-max') return ended
      for (const level of this.#refined()) if (!(await this.#level(level, 1))) return this.#endedEarly()
      const all = [...new Set(this.#levels.map(({ concurrency }) => concurrency))].sort((a, b) => a - b)
      for (let repeat = 2; repeat <= this.#options.repeats; repeat++) {
        for (const level of all) if (!(await this.#level(level, repeat))) return this.#endedEarly()
      }
      return ended
    } catch (error) {
      if (this.#options.signal.aborted) return 'stopped'
      throw error
    }
  }

  /** Doubles the concurrency until the rate stops growing. */
  async #coarse(): Promise<StopReason> {
    let [best, flat] = [0, 0]
    const { concurrencyMax } = this.#options
    for (let level = 1; ; level = Math.min(2 * level, concurrencyMax)) {
      if (!(await this.#level(level, 1))) return this.#endedEarly()
      const rate = rateOf({ unit: this.#unit }, this.#levels.at(-1) as LevelResult)
      flat = rate < growthMin * best ? flat + 1 : 0
      best = Math.max(best, rate)
      if (flat === flatDoublings) return 'flat'
      if (level >= concurrencyMax) return 'concurrency-max'
    }
  }

  #endedEarly(): StopReason {
    return this.#loop.exhausted ? 'requests-max' : 'failures'
  }

  #refined(): number[] {
    const knee = kneeResult(this.#levels, this.#unit)
    const centre = knee?.fullAt ?? knee?.concurrency ?? null
    if (centre === null) return []
    const known = new Set(this.#levels.map(({ concurrency }) => concurrency))
    return refinements
      .map((share) => Math.round(share * centre))
      .filter((level) => level >= 1 && level <= this.#options.concurrencyMax && !known.has(level))
  }

  /** @returns false if no more requests may be sent, or most failed: the level does not count */
  async #level(concurrency: number, repeat: number): Promise<boolean> {
    const { signal, target, secondsPerLevel } = this.#options
    await this.#loop.setConcurrency(concurrency, this.#spreadMs, signal)
    await this.#loop.settled(settleMsMax, signal)
    const watchEnd = new AbortController()
    const watch = target.watch(AbortSignal.any([signal, watchEnd.signal]))
    const busy = performance.eventLoopUtilization()
    const fromMs = performance.now()
    try {
      await this.#loop.pause(secondsPerLevel * 1000, signal)
    } finally {
      watchEnd.abort()
    }
    const toMs = performance.now()
    const clientBusy = performance.eventLoopUtilization(busy).utilization
    const samples = await watch
    await this.#loop.openEnded(settleMsMax, signal)
    this.#note(this.#loop.records)
    const figures = figuresOf(this.#loop.records, { fromMs, toMs })
    const exhausted = this.#loop.exhausted
    const tooManyFailed = figures.failures > failureShareMax * (figures.requests + figures.failures)
    if (exhausted || tooManyFailed || figures.requestsPerSecond === 0) return false
    this.#spreadMs = Math.min(spreadMsMax, figures.latencyMs.p50)
    const { promptsPerSecond: _, promptTokens: _p, outputTokens: _o, ...kept } = figures
    const kv = samples.flatMap(({ kvUsage }) => (kvUsage === null ? [] : [kvUsage]))
    const level = {
      ...{ concurrency, repeat, seconds: (toMs - fromMs) / 1000, ...kept, clientBusy },
      server:
        samples.length === 0
          ? null
          : {
              running: mean(samples.map(({ running }) => running)),
              waiting: mean(samples.map(({ waiting }) => waiting)),
              kvUsage: kv.length === 0 ? null : mean(kv),
            },
    }
    this.#levels.push(level)
    this.#options.onLevel(level)
    return true
  }

  #note(records: readonly RequestRecord[]): void {
    for (const { failure, promptTokens, outputTokens } of records) {
      if (failure !== '') this.#failures.set(failure, (this.#failures.get(failure) ?? 0) + 1)
      else {
        this.#tokens.prompt += promptTokens
        this.#tokens.output += outputTokens
        this.#tokens.requests++
      }
    }
  }
}

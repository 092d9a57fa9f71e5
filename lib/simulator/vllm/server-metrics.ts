/**
 * The counters and histograms of vLLM's /metrics, with their exact names, as Prometheus text. Updated by pace.ts and
 * engine.ts.
 */

const secondsBuckets = [
  0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80,
]
const tokenBuckets = [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5]
const requestBuckets = [0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1920, 7680]

class Histogram {
  readonly #counts: number[]
  #count = 0
  #sum = 0
  readonly #bounds: readonly number[]

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
    this.#counts = new Array(bounds.length).fill(0)
  }

  observe(value: number, times = 1): void {
    this.#count += times
    this.#sum += value * times
    const bucket = this.#bounds.findIndex((bound) => value <= bound)
    if (bucket >= 0) this.#counts[bucket] = (this.#counts[bucket] as number) + times
  }

  lines(name: string, labels: string): string[] {
    let below = 0
    const lines = this.#bounds.map((bound, bucket) => {
      below += this.#counts[bucket] as number
      return `${name}_bucket{${labels},le="${bound}"} ${below}`
    })
    lines.push(`${name}_bucket{${labels},le="+Inf"} ${this.#count}`)
    lines.push(`${name}_sum{${labels}} ${this.#sum}`, `${name}_count{${labels}} ${this.#count}`)
    return lines
  }
}

type FinishedReason = 'stop' | 'length' | 'abort'

export class ServerMetrics {
  running = 0
  waiting = 0
  kvCacheUsage = 0
  preemptions = 0
  promptTokens = 0
  generationTokens = 0
  prefixCacheQueries = 0
  prefixCacheHits = 0
  readonly success: Record<FinishedReason, number> = { stop: 0, length: 0, abort: 0 }
  readonly timeToFirstToken = new Histogram(secondsBuckets)
  readonly interTokenLatency = new Histogram(tokenBuckets)
  readonly requestLatency = new Histogram(requestBuckets)
  readonly queueTime = new Histogram(requestBuckets)

  /** Returns the metrics as Prometheus text in vLLM's format. */
  text(model: string): string {
    const labels = `engine="0",model_name="${model.replace(/["\\\n]/g, '_')}"`
    const lines: string[] = []
    const simple = (type: 'gauge' | 'counter', name: string, value: number, more = '') => {
      lines.push(`# HELP ${name} ${name}`, `# TYPE ${name} ${type}`, `${name}{${labels}${more}} ${value}`)
    }
    simple('gauge', 'vllm:num_requests_running', this.running)
    simple('gauge', 'vllm:num_requests_waiting', this.waiting)
    simple('gauge', 'vllm:kv_cache_usage_perc', this.kvCacheUsage)
    simple('counter', 'vllm:num_preemptions_total', this.preemptions)
    simple('counter', 'vllm:prompt_tokens_total', this.promptTokens)
    simple('counter', 'vllm:generation_tokens_total', this.generationTokens)
    simple('counter', 'vllm:prefix_cache_queries_total', this.prefixCacheQueries)
    simple('counter', 'vllm:prefix_cache_hits_total', this.prefixCacheHits)
    const success = 'vllm:request_success_total'
    lines.push(`# HELP ${success} ${success}`, `# TYPE ${success} counter`)
    for (const [reason, count] of Object.entries(this.success)) {
      lines.push(`${success}{${labels},finished_reason="${reason}"} ${count}`)
    }
    const histograms: [string, Histogram][] = [
      ['vllm:time_to_first_token_seconds', this.timeToFirstToken],
      ['vllm:inter_token_latency_seconds', this.interTokenLatency],
      ['vllm:e2e_request_latency_seconds', this.requestLatency],
      ['vllm:request_queue_time_seconds', this.queueTime],
    ]
    for (const [name, histogram] of histograms) {
      lines.push(`# HELP ${name} ${name}`, `# TYPE ${name} histogram`, ...histogram.lines(name, labels))
    }
    return `${lines.join('\n')}\n`
  }
}

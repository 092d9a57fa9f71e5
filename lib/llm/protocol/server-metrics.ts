/**
 * Parses the load metrics of a server's `/metrics`, in Prometheus text format. Pure.
 * Supports the names of vLLM (0.6 to 0.32), SGLang, llama.cpp and TGI. Data-parallel ranks are summed; KV use is that
 * of the fullest rank.
 */
import type { ServerSample } from '../endpoint/limiter.js'

const metricNames: Readonly<Record<string, keyof Figures>> = Object.assign(Object.create(null), {
  'vllm:num_requests_running': 'running',
  'vllm:num_requests_waiting': 'waiting',
  'vllm:kv_cache_usage_perc': 'kvUsage',
  'vllm:gpu_cache_usage_perc': 'kvUsage',
  'vllm:num_preemptions_total': 'preemptions',
  'vllm:generation_tokens_total': 'generationTokens',
  'vllm:prompt_tokens_total': 'promptTokens',
  'vllm:prefix_cache_queries_total': 'prefixQueries',
  'vllm:prefix_cache_hits_total': 'prefixHits',
  'sglang:num_running_reqs': 'running',
  'sglang:num_queue_reqs': 'waiting',
  'sglang:token_usage': 'kvUsage',
  // The equivalent of vLLM's preemptions; a gauge of the sum in some versions, a counter in others.
  'sglang:num_retracted_reqs': 'preemptions',
  'sglang:num_retracted_reqs_total': 'preemptions',
  'sglang:num_retracted_requests_total': 'preemptions',
  'sglang:generation_tokens_total': 'generationTokens',
  'sglang:prompt_tokens_total': 'promptTokens',
  'llamacpp:requests_processing': 'running',
  'llamacpp:requests_deferred': 'waiting',
  'llamacpp:kv_cache_usage_ratio': 'kvUsage',
  'llamacpp:tokens_predicted_total': 'generationTokens',
  'llamacpp:prompt_tokens_total': 'promptTokens',
  'tgi:batch_current_size': 'running',
  'tgi:queue_size': 'waiting',
  'tgi:request_generated_tokens_sum': 'generationTokens',
  'tgi:request_input_length_sum': 'promptTokens',
})

/** Some exporters write `_` instead of `:`, and Ray adds a prefix. */
const prefix = /^(?:ray_)?(vllm|sglang|llamacpp|tgi)[:_]/

interface Figures {
  running: number
  waiting: number
  kvUsage: number
  preemptions: number
  generationTokens: number
  promptTokens: number
  prefixQueries: number
  prefixHits: number
}

/** A sample of a server's /metrics; token and prefix counts are since the server's start. */
export interface ServerFigures extends ServerSample {
  readonly promptTokens: number
  readonly prefixQueries: number
  readonly prefixHits: number
}

/** Returns null if the text lacks the numbers of running and waiting requests. */
export function parseServerMetrics(text: string, atMs: number): ServerFigures | null {
  const found: Partial<Figures> = {}
  for (const line of text.split('\n')) {
    const server = prefix.exec(line)
    if (server === null) continue
    const end = line.search(/[{\s]/)
    const name = metricNames[`${server[1]}:${line.slice(server[0].length, end)}`]
    if (name === undefined) continue
    const value = Number(
      line
        .slice(Math.max(end, line.lastIndexOf('}') + 1))
        .trim()
        .split(/\s+/)[0],
    )
    if (!Number.isFinite(value)) continue
    const before = found[name]
    if (before === undefined) found[name] = value
    else found[name] = name === 'kvUsage' ? Math.max(before, value) : before + value
  }
  if (found.running === undefined || found.waiting === undefined) return null
  return {
    atMs,
    running: found.running,
    waiting: found.waiting,
    kvUsage: found.kvUsage ?? null,
    preemptions: found.preemptions ?? 0,
    generationTokens: found.generationTokens ?? 0,
    promptTokens: found.promptTokens ?? 0,
    prefixQueries: found.prefixQueries ?? 0,
    prefixHits: found.prefixHits ?? 0,
  }
}

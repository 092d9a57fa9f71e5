/** Figures of a level from the times of its requests. Pure. */
import type { Quantiles } from './results.js'

/** One request; milliseconds of one clock. */
export interface RequestRecord {
  readonly startMs: number
  /** Arrival of the first text of a stream; null without. */
  readonly firstMs: number | null
  readonly endMs: number
  /** Prompts in the request. */
  readonly prompts: number
  /** Of all prompts together. */
  readonly promptTokens: number
  readonly outputTokens: number
  /** Error message; '' if it succeeded. */
  readonly failure: string
}

/** Measured time. */
interface Span {
  readonly fromMs: number
  readonly toMs: number
}

interface SpanFigures {
  readonly requests: number
  readonly failures: number
  readonly requestsPerSecond: number
  readonly promptsPerSecond: number
  readonly promptTokensPerSecond: number
  readonly outputTokensPerSecond: number
  readonly latencyMs: Quantiles
  readonly firstTokenMs: Quantiles | null
  readonly decodeMsPerToken: Quantiles | null
  readonly promptTokens: number
  readonly outputTokens: number
}

/**
 * Counts each request by the share of its time that lies in the span, and its output tokens by the share of the time
 * after its first token. In a steady state this is the rate of the server without the error of requests that are cut off
 * at the ends of the span, which is large where few requests fit into it.
 */
export function figuresOf(records: readonly RequestRecord[], span: Span): SpanFigures {
  const seconds = (span.toMs - span.fromMs) / 1000
  const endsIn = ({ endMs }: RequestRecord): boolean => endMs > span.fromMs && endMs <= span.toMs
  const succeeded = records.filter(({ failure }) => failure === '')
  const ended = succeeded.filter(endsIn)
  // Where a request takes longer than the span, none may end in it: their times are those of the requests around it.
  const good = ended.length > 0 ? ended : succeeded.filter((record) => shareIn(record.startMs, record.endMs, span) > 0)
  const sums = { requests: 0, prompts: 0, promptTokens: 0, outputTokens: 0 }
  for (const record of succeeded) {
    const share = shareIn(record.startMs, record.endMs, span)
    sums.requests += share
    sums.prompts += share * record.prompts
    sums.promptTokens += share * record.promptTokens
    sums.outputTokens += record.outputTokens * shareIn(record.firstMs ?? record.startMs, record.endMs, span)
  }
  const streamed = good.flatMap((record) => (record.firstMs === null ? [] : [{ ...record, firstMs: record.firstMs }]))
  const decoded = streamed.filter(({ outputTokens }) => outputTokens > 1)
  return {
    requests: ended.length,
    failures: records.filter(endsIn).length - ended.length,
    requestsPerSecond: sums.requests / seconds,
    promptsPerSecond: sums.prompts / seconds,
    promptTokensPerSecond: sums.promptTokens / seconds,
    outputTokensPerSecond: sums.outputTokens / seconds,
    latencyMs: quantiles(good.map(({ startMs, endMs }) => endMs - startMs)) ?? { p50: 0, p95: 0 },
    firstTokenMs: quantiles(streamed.map(({ startMs, firstMs }) => firstMs - startMs)),
    decodeMsPerToken: quantiles(
      decoded.map(({ firstMs, endMs, outputTokens }) => (endMs - firstMs) / (outputTokens - 1)),
    ),
    promptTokens: mean(good.map(({ promptTokens }) => promptTokens)),
    outputTokens: mean(good.map(({ outputTokens }) => outputTokens)),
  }
}

/** Returns the share of [start, end] in the span; an instant counts whole. */
function shareIn(startMs: number, endMs: number, { fromMs, toMs }: Span): number {
  if (endMs <= startMs) return endMs > fromMs && endMs <= toMs ? 1 : 0
  return Math.max(0, Math.min(endMs, toMs) - Math.max(startMs, fromMs)) / (endMs - startMs)
}

/** Nearest ranks; null for no values. */
export function quantiles(values: readonly number[]): Quantiles | null {
  if (values.length === 0) return null
  const sorted = [...values].sort((a, b) => a - b)
  const at = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] ?? 0
  return { p50: at(0.5), p95: at(0.95) }
}

export function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length
}

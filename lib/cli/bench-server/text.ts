/** Text of `bench server`: a table of each sweep, its knee, the limiter, lists of prompts, and comparisons. */

import { grouped } from '../../language/grouped.js'
import { say } from '../../language/say.js'
import type { Comparison } from '../../server-bench/noise.js'
import type {
  LevelResult,
  ListResult,
  ServerBenchResult,
  SweepResult,
  WorkloadName,
} from '../../server-bench/results.js'
import { textWidth } from '../terminal/text-width.js'

/** Share of this process's time above which the client may be the limit. */
const clientBusyMax = 0.85

export function workloadText(name: WorkloadName): string {
  if (name === 'label') return say`label: instructions from texts`
  if (name === 'score') return say`score: one-token grades`
  return say`polish: answers`
}

/** One line for a level, as progress. */
export function levelLine(level: LevelResult): string {
  const { concurrency, outputTokensPerSecond, requestsPerSecond, latencyMs } = level
  return say`${concurrency} in flight: ${figure(outputTokensPerSecond)} output tokens/s, ${figure(requestsPerSecond)} requests/s, p50 ${milliseconds(latencyMs.p50)}`
}

export function resultText(result: ServerBenchResult): string {
  const { url, model, server, requests, seconds } = result
  const head = say`${model} at ${url} (${server}); ${figure(requests)} requests in ${figure(seconds)} s`
  const parts = result.sweeps.map((sweep) => sweepText(sweep))
  if (result.lists !== null && result.lists.length > 1) parts.push(listsText(result.lists))
  return `${[head, ...parts].join('\n\n')}\n`
}

function sweepText(sweep: SweepResult): string {
  const { workload, promptTokens, outputTokens, levels } = sweep
  const title = say`${workloadText(workload)}; ${figure(promptTokens)} tokens in, ${figure(outputTokens)} out`
  return [title, ...levelTable(levels), ...findings(sweep)].join('\n')
}

function levelTable(levels: readonly LevelResult[]): string[] {
  const head = [
    say`in flight`,
    say`output tokens/s`,
    say`requests/s`,
    say`prefill tokens/s`,
    say`first token`,
    say`per token`,
    say`p50`,
    say`p95`,
  ]
  const rows = levels.map((level) => [
    String(level.concurrency),
    figure(level.outputTokensPerSecond),
    figure(level.requestsPerSecond),
    figure(level.promptTokensPerSecond),
    level.firstTokenMs === null ? '–' : milliseconds(level.firstTokenMs.p50),
    level.decodeMsPerToken === null ? '–' : milliseconds(level.decodeMsPerToken.p50),
    milliseconds(level.latencyMs.p50),
    milliseconds(level.latencyMs.p95),
  ])
  return aligned([head, ...rows])
}

/** Sentences about a sweep: the knee, what the limit is, the limiter, failures. */
function findings(sweep: SweepResult): string[] {
  const lines = [kneeText(sweep), ...limitTexts(sweep)]
  if (sweep.limiter !== null) {
    const { shareOfBest, limit, rate, warmUpSeconds } = sweep.limiter
    lines.push(
      say`limiter of kun-stream: ${figure(rate)} ${unitText(sweep)} with ${limit} in flight, ${figure(100 * shareOfBest)} % of the best rate (after ${figure(warmUpSeconds)} s from cold)`,
    )
  }
  if (sweep.noise !== null) lines.push(say`noise of repeated levels: ${figure(100 * sweep.noise)} %`)
  for (const [message, times] of sweep.failures) lines.push(say`failed ${times} times: ${message}`)
  if (sweep.ended === 'stopped') lines.push(say`stopped: what was measured until then`)
  if (sweep.ended === 'requests-max') lines.push(say`ended by --requests-max: raise it to measure all levels`)
  if (sweep.ended === 'failures') lines.push(say`ended early: most requests of the next level failed`)
  return lines
}

function kneeText(sweep: SweepResult): string {
  const { knee, levels } = sweep
  if (knee === null) return say`knee: unknown, too few levels were measured`
  if (knee.concurrency === null) {
    const most = Math.max(...levels.map(({ concurrency }) => concurrency))
    return say`knee: not reached, the rate still grows at ${most} in flight; raise --concurrency-max`
  }
  return say`knee: ${Math.round(knee.concurrency)} in flight reach 95 % of the best rate, ${figure(knee.bestRate)} ${unitText(sweep)}`
}

function limitTexts({ knee, levels }: SweepResult): string[] {
  const lines: string[] = []
  const fullest = levels.reduce((most, { server }) => Math.max(most, server?.kvUsage ?? 0), 0)
  if (knee?.fullAt !== null && knee?.fullAt !== undefined) {
    const at = Math.round(knee.fullAt)
    lines.push(
      fullest > 0.9
        ? say`limit: the KV cache, which is full from ${at} in flight on`
        : say`limit: the server is full from ${at} in flight on; further requests wait`,
    )
  } else if (knee?.concurrency !== null && knee !== null) {
    lines.push(say`limit: computation; more requests in flight make each one slower`)
  }
  if (knee?.declinesAt !== null && knee?.declinesAt !== undefined) {
    lines.push(say`overload: the rate declines from ${knee.declinesAt} in flight on`)
  }
  const busy = levels.filter(({ clientBusy }) => clientBusy > clientBusyMax).map(({ concurrency }) => concurrency)
  if (busy.length > 0) {
    lines.push(say`this process was busy at ${Math.min(...busy)} in flight: the figures from there on may be its limit`)
  }
  return lines
}

function unitText({ unit }: Pick<SweepResult, 'unit'>): string {
  return unit === 'tokens' ? say`output tokens/s` : say`requests/s`
}

function listsText(lists: readonly ListResult[]): string {
  const head = [say`prompts a request`, say`requests in flight`, say`grades/s`, say`times single`]
  const rows = lists.map((list) => [
    String(list.promptsPerRequest),
    String(list.requestsInFlight),
    figure(list.gradesPerSecond),
    figure(list.timesSingle),
  ])
  return [say`One-token grades with lists of prompts (promptsPerRequest)`, ...aligned([head, ...rows])].join('\n')
}

export function comparisonText(comparisons: readonly Comparison[], earlier: string): string {
  if (comparisons.length === 0) return `${say`${earlier} has no level that was measured now`}\n`
  const head = [say`workload`, say`in flight`, say`before`, say`now`, say`ratio`, say`noise`, '']
  const rows = comparisons.map(({ workload, concurrency, before, now, ratio, noiseRatio, differs }) => [
    workload,
    String(concurrency),
    figure(before),
    figure(now),
    ratio.toFixed(3),
    noiseRatio === null ? say`unknown` : `${(1 / noiseRatio).toFixed(3)}–${noiseRatio.toFixed(3)}`,
    differs ? (ratio > 1 ? say`faster` : say`SLOWER`) : '',
  ])
  return `${[say`Compared with ${earlier}`, ...aligned([head, ...rows])].join('\n')}\n`
}

/** Columns as wide as their widest cell, to the right; the last one to the left. */
function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => textWidth(row[column] ?? ''))))
  const pad = (cell: string, column: number): string =>
    ' '.repeat(Math.max(0, (widths[column] ?? 0) - textWidth(cell))) + cell
  return rows.map((row) => row.map(pad).join('  ').trimEnd())
}

/** Three significant digits: 0.012, 1.23, 1,230. */
function figure(value: number): string {
  const rounded = Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3))
  return grouped(rounded)
}

function milliseconds(value: number): string {
  return value >= 10_000 ? say`${figure(value / 1000)} s` : say`${figure(value)} ms`
}

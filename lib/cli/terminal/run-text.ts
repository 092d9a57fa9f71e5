/** Text at the start and the end of a run. Its progress in between is run-state.ts. */

import pc from 'picocolors'
import { duration } from '../../core/duration.js'
import type { Capabilities } from '../../llm/types.js'
import { funnelLines } from '../../report/funnel.js'
import type { CallTimings } from '../../report/timings.js'
import type { KunRun } from '../../run/run.js'
import type { KunSettings } from '../../run/settings.js'
import { commandName, shellWord } from '../command-name.js'
import { countText } from './bytes-text.js'
import { short } from './progress-text.js'

/** A line per model with the capabilities of its servers, and one per stage whose requests depend on them. */
export function serverLines({ capabilities, stages }: KunRun, settings: KunSettings['models']): string[] {
  const models = Object.entries(capabilities).map(([name, found]) => {
    const { model = name, endpoints = [] } = settings[name] ?? {}
    const on = endpoints.length > 1 ? ` on ${endpoints.length} servers` : ''
    return `${name}: ${model}${on}, ${capabilityText(found)}`
  })
  const forms = stages.flatMap(({ name, form }) => (form === null ? [] : [`${name}: ${form}`]))
  return [...models, ...forms]
}

/** Example: 'vLLM 0.9.1, 4,096 tokens of context; without metrics (limit found by probing)' */
function capabilityText(found: Capabilities): string {
  const { server, contextTokensMax, unsupported } = found
  const context =
    contextTokensMax === null ? 'context unknown' : `${contextTokensMax.toLocaleString('en-US')} tokens of context`
  const missing = [
    ...(found.metrics ? [] : ['metrics (limit found by probing)']),
    ...(found.logprobs ? [] : ['log-probabilities']),
    ...(unsupported.length > 0 ? [unsupported.join(', ')] : []),
  ]
  return `${server}, ${context}${missing.length > 0 ? `; without ${missing.join(', ')}` : ''}`
}

interface Conclusion {
  readonly name: string
  readonly directory: string
  readonly end: 'input' | 'limit'
  readonly builtin: boolean
  readonly timings: CallTimings
}

export function conclusionText(run: KunRun, { name, directory, end, builtin, timings }: Conclusion): string {
  const { counters, cuts } = run.progress()
  const { seconds, tokensPerSecond, bottleneck, peakMemoryBytes, repliesServedFromDisk } = timings
  const by = bottleneck === 'servers' ? 'the model servers' : bottleneck
  const served = repliesServedFromDisk > 0 ? `${countText(repliesServedFromDisk, 'reply', 'replies')} from disk, ` : ''
  const rows = Object.values(counters).reduce((sum, split) => sum + split.rows, 0)
  const speed = `${short(Math.round(tokensPerSecond))} tokens/s, bottleneck: ${by}`
  const idle = tokensPerSecond === 0 && repliesServedFromDisk === 0
  const figures = `${served}${idle ? 'no requests needed' : speed}, ${Math.round(peakMemoryBytes / 1e6)} MB peak memory`
  const done = rows === 0 ? 'done with 0 rows (the reasons are below)' : 'done'
  const what = end === 'limit' ? 'limits.rowsMax is reached' : done
  const took = seconds < 90 ? `${seconds.toFixed(1)} s` : duration(seconds)
  const lines = [
    '',
    `${pc.bold(name)}: ${what} in ${took}, ${countText(cuts, 'cut')}`,
    pc.dim(figures),
    '',
    ...funnelLines(counters, Math.min(120, process.stdout.columns ?? 80)),
    '',
    `  ${directory}/data/         rows, Parquet by split`,
    `  ${directory}/rejects/      dropped records and reasons`,
    `  ${directory}/stats.json    exact counts`,
    `  ${directory}/timings.json  rates and bottleneck`,
    `  ${directory}/report.html   all of it as a page, offline`,
    '',
    ...(builtin ? ['Written by the built-in extractive writer: key phrases and templates, not a model.'] : []),
    `Next: ${commandName()} inspect ${shellWord(directory)} ${rows === 0 ? '--rejects ' : ''}-n 3`,
    ...(builtin ? ['      your own servers: recipes/vllm-two-servers.yaml, docs/recipe.md'] : []),
    '',
  ]
  return lines.join('\n')
}

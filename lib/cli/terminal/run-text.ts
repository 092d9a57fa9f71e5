/** Text at the start and the end of a run. Its progress in between is run-state.ts. */

import { duration, secondsText } from '../../language/duration.js'
import { grouped } from '../../language/grouped.js'
import { listText } from '../../language/list-text.js'
import { say, translated } from '../../language/say.js'
import type { Capabilities } from '../../llm/types.js'
import { funnelLines } from '../../report/funnel.js'
import type { CallTimings } from '../../report/timings.js'
import type { KunRun } from '../../run/run.js'
import type { KunSettings } from '../../run/settings.js'
import { commandName, shellWord } from '../command-name.js'
import { countText } from './bytes-text.js'
import { pc } from './colors.js'
import { limitingText, short } from './progress-text.js'

/** A line per model with the capabilities of its servers, and one per stage whose requests depend on them. */
export function serverLines({ capabilities, stages }: KunRun, settings: KunSettings['models']): string[] {
  const models = Object.entries(capabilities).map(([name, found]) => {
    const { model = name, endpoints = [] } = settings[name] ?? {}
    const capabilities = capabilityText(found)
    if ('file' in endpoints) return say`${name}: ${model} on the servers in ${endpoints.file}, ${capabilities}`
    return endpoints.length > 1
      ? say`${name}: ${model} on ${endpoints.length} servers, ${capabilities}`
      : say`${name}: ${model}, ${capabilities}`
  })
  const forms = stages.flatMap(({ name, form }) => (form === null ? [] : [say`${name}: ${translated(form)}`]))
  return [...models, ...forms]
}

/** Example: 'vLLM 0.9.1, 4,096 tokens of context; without metrics (limit found by probing)' */
function capabilityText(found: Capabilities): string {
  const { server, contextTokensMax, unsupported } = found
  const context = contextTokensMax === null ? say`context unknown` : say`${grouped(contextTokensMax)} tokens of context`
  const missing = [
    ...(found.metrics ? [] : [say`metrics (limit found by probing)`]),
    ...(found.logprobs ? [] : [say`log-probabilities`]),
    ...(unsupported.length > 0 ? [listText(unsupported)] : []),
  ]
  const known = say`${server}, ${context}`
  return missing.length > 0 ? say`${known}; without ${listText(missing)}` : known
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
  const served =
    repliesServedFromDisk > 0 ? say`${countText(repliesServedFromDisk, 'reply', 'replies')} from disk, ` : ''
  const rows = Object.values(counters).reduce((sum, split) => sum + split.rows, 0)
  const speed = say`${short(Math.round(tokensPerSecond))} tokens/s, bottleneck: ${limitingText(bottleneck)}`
  const idle = tokensPerSecond === 0 && repliesServedFromDisk === 0
  const work = served + (idle ? say`no requests needed` : speed)
  const figures = say`${work}, ${Math.round(peakMemoryBytes / 1e6)} MB peak memory`
  const done = rows === 0 ? say`done with 0 rows (the reasons are below)` : say`done`
  const what = end === 'limit' ? say`limits.rowsMax is reached` : done
  const took = seconds < 90 ? secondsText(seconds.toFixed(1)) : duration(seconds)
  const lines = [
    '',
    say`${pc.bold(name)}: ${what} in ${took}, ${countText(cuts, 'cut')}`,
    pc.dim(figures),
    '',
    ...funnelLines(counters, Math.min(120, process.stdout.columns ?? 80)),
    '',
    say`  ${directory}/data/         rows, Parquet by split`,
    say`  ${directory}/rejects/      dropped records and reasons`,
    say`  ${directory}/stats.json    exact counts`,
    say`  ${directory}/timings.json  rates and bottleneck`,
    say`  ${directory}/report.html   all of it as a page, offline`,
    '',
    ...(builtin ? [say`Written by the built-in extractive writer: key phrases and templates, not a model.`] : []),
    say`Next: ${commandName()} inspect ${shellWord(directory)} ${rows === 0 ? '--rejects ' : ''}-n 3`,
    ...(rows === 0 ? [] : [say`      ${commandName()} inspect ${shellWord(directory)} --rejects -n 3`]),
    say`      ${commandName()} ui ${shellWord(directory)}`,
    ...(builtin ? [say`      your own servers: recipes/vllm-two-servers.yaml, docs/recipe.md`] : []),
    '',
  ]
  return lines.join('\n')
}

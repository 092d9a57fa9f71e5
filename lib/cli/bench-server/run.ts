/** The action of `bench server`: finds the model, measures, writes the page, compares. */

import { readFile, writeFile } from 'node:fs/promises'
import { UsageError } from '../../errors.js'
import { processLanguage } from '../../language/language.js'
import { listText } from '../../language/list-text.js'
import { say } from '../../language/say.js'
import { pageText } from '../../pages/page-file.js'
import { resolveSecret } from '../../recipe/secrets.js'
import { type Comparison, compared } from '../../server-bench/noise.js'
import type { ServerBenchResult, WorkloadName } from '../../server-bench/results.js'
import { serverBench } from '../../server-bench/server-bench.js'
import { workloads } from '../../server-bench/workloads.js'
import { lookAt } from '../init/find-servers.js'
import { cannotOpen, sayOnStderr, writeErr, writeOut } from '../terminal/output.js'
import { endBySignal, onStopSignal, type StopSignal } from '../terminal/stop-signals.js'
import { comparisonText, levelLine, resultText, workloadText } from './text.js'

export interface BenchServerFlags {
  readonly model?: string
  readonly apiKey?: string
  readonly workloads: string
  readonly concurrencyMax: number
  readonly seconds: number
  readonly requestsMax: number
  readonly repeats: number
  readonly limiter: boolean
  readonly html: string | false
  readonly json?: boolean
  readonly compare?: string
}

/** Time for the list of models, ms. */
const modelsMsMax = 5000

/** @throws {UsageError | EndpointError} */
export async function benchServer(address: string, flags: BenchServerFlags): Promise<void> {
  const names = workloadNames(flags.workloads)
  const earlier = flags.compare === undefined ? null : await earlierResult(flags.compare)
  const apiKey = flags.apiKey === undefined ? undefined : resolveSecret(flags.apiKey, '--api-key')
  const { url, model } = await chosenModel(address, flags.model, apiKey)
  const stop = new AbortController()
  let stoppedBy: StopSignal | null = null
  const release = onStopSignal((signal, nth) => {
    if (nth > 1) endBySignal(signal)
    stoppedBy = signal
    writeErr(`\n${say`stopping: what was measured so far follows; again to end at once`}\n`)
    stop.abort(new Error(`stopped by ${signal}`))
  })
  try {
    sayOnStderr(
      say`bench server: ${model} at ${url}, at most ${flags.requestsMax} requests; Ctrl-C shows what was measured so far`,
    )
    const result = await serverBench({
      ...{ url, model, apiKey, workloads: names, seed: Date.now() & 0x7fff_ffff },
      concurrencyMax: flags.concurrencyMax,
      secondsPerLevel: flags.seconds,
      requestsMax: flags.requestsMax,
      repeats: flags.repeats,
      limiter: flags.limiter,
      onWorkload: (name) => sayOnStderr(workloadText(name)),
      onLevel: (_, level) => sayOnStderr(`  ${levelLine(level)}`),
      onStep: (step) => sayOnStderr(`  ${step === 'limiter' ? say`the limiter of kun-stream` : say`lists of prompts`}`),
      signal: stop.signal,
    })
    await show(result, flags, earlier)
    if (stoppedBy !== null || !result.complete) process.exitCode = 1
  } finally {
    release()
  }
}

async function show(
  result: ServerBenchResult,
  { json = false, html, compare = '' }: BenchServerFlags,
  earlier: ServerBenchResult | null,
): Promise<void> {
  const comparisons: Comparison[] | null = earlier === null ? null : compared(earlier, result)
  if (json) {
    writeOut(`${JSON.stringify(comparisons === null ? result : { ...result, comparisons }, null, 2)}\n`)
  } else {
    writeOut(resultText(result))
    if (comparisons !== null) writeOut(`\n${comparisonText(comparisons, compare)}`)
  }
  if (html === false || result.sweeps.every(({ levels }) => levels.length === 0)) return
  const language = processLanguage() === 'zh' ? 'zh' : null
  const text = await pageText({ page: 'bench', language, view: null, bench: { result, earlier, comparisons } })
  await writeFile(html, text).catch((cause: unknown) => {
    throw cannotOpen(html, cause)
  })
  sayOnStderr(say`picture: ${html}`)
}

/** @throws {UsageError} */
function workloadNames(text: string): WorkloadName[] {
  const names = text.split(',').map((name) => name.trim())
  const known = Object.keys(workloads)
  const unknown = names.find((name) => !known.includes(name))
  if (unknown !== undefined) throw new UsageError(say`--workloads has ${unknown}: give some of ${known.join(', ')}`)
  return [...new Set(names)] as WorkloadName[]
}

/** @throws {UsageError} the server does not respond, or the model is not clear */
async function chosenModel(
  address: string,
  model: string | undefined,
  apiKey: string | undefined,
): Promise<{ readonly url: string; readonly model: string }> {
  if (!/^https?:$/.test(URL.canParse(address) ? new URL(address).protocol : '')) {
    throw new UsageError(say`${address} is not an address: write one such as http://localhost:8000/v1`)
  }
  const plain = address.replace(/\/+$/, '')
  const tried = /\/v\d+$/.test(plain) ? [plain] : [plain, `${plain}/v1`]
  let failure = ''
  let answered: string | null = null
  for (const url of tried) {
    const found = await lookAt(url, apiKey, modelsMsMax)
    const names = found.models.map(({ name }) => name)
    if (found.status !== null) answered = url
    if (found.status === null) failure = found.failure
    if (names.length === 0) continue
    const chosen = model ?? (names.length === 1 ? names[0] : undefined)
    if (chosen === undefined) {
      throw new UsageError(say`${url} serves several models: choose one with --model: ${listText(names)}`)
    }
    if (!names.includes(chosen)) throw new UsageError(say`--model is ${chosen}: ${url} serves ${listText(names)}`)
    return { url, model: chosen }
  }
  if (answered === null) throw new UsageError(say`${plain} does not respond (${failure}): start the server first`)
  if (model === undefined) {
    throw new UsageError(
      say`${plain} does not list its models: name one with --model, and check the address (it usually ends in /v1)`,
    )
  }
  return { url: tried.at(-1) as string, model }
}

/** @throws {UsageError} it cannot be read, or is not a result of this command */
async function earlierResult(path: string): Promise<ServerBenchResult> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw cannotOpen(path, cause)
  })
  const value = parsed(text) as Partial<ServerBenchResult> | null
  if (value?.kind !== 'bench-server' || value.format !== 1 || !Array.isArray(value.sweeps)) {
    throw new UsageError(say`--compare ${path} is not a result of bench server --json`)
  }
  return value as ServerBenchResult
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

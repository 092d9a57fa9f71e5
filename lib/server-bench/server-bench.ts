/** `bench server`: sweeps of each workload, the limiter against them, and lists of prompts. Sends a bounded load. */
import { version } from '../core/version.js'
import { EndpointError } from '../errors.js'
import { say } from '../language/say.js'
import { limiterRun } from './limiter-run.js'
import { listRun } from './list-run.js'
import { type LevelResult, rateOf, type ServerBenchResult, type SweepResult, type WorkloadName } from './results.js'
import { sweep } from './sweep.js'
import { Target, type TargetOptions } from './target.js'
import { type RequestOptions, type Workload, workloadRequest, workloads } from './workloads.js'

export interface ServerBenchOptions extends TargetOptions {
  readonly workloads: readonly WorkloadName[]
  readonly secondsPerLevel: number
  readonly requestsMax: number
  readonly repeats: number
  /** Runs the limiter against the best rate of each sweep. */
  readonly limiter: boolean
  readonly onWorkload: (name: WorkloadName) => void
  readonly onLevel: (sweep: WorkloadName, level: LevelResult) => void
  /** Called before the limiter runs, and before lists of prompts are measured. */
  readonly onStep: (step: 'limiter' | 'lists') => void
  /** Stops the measurement; the result then has what was measured. */
  readonly signal: AbortSignal
}

/** Lengths of the text of the two requests that measure the tokens of a character. */
const calibrationChars = [100, 500] as const
/** Prompts of the parts of a benchmark have numbers this far apart. */
const numbersPerPart = 10_000_000

/**
 * @throws {EndpointError} the server does not respond, does not serve the model, or refuses the requests
 */
export async function serverBench(options: ServerBenchOptions): Promise<ServerBenchResult> {
  const target = await Target.open(options)
  const startedMs = performance.now()
  const madeAt = new Date().toISOString()
  let requests = 0
  const admit = (prompts = 1): boolean => {
    if (requests + prompts > options.requestsMax) return false
    requests += prompts
    return true
  }
  const sweeps: SweepResult[] = []
  let lists: ServerBenchResult['lists'] = null
  try {
    for (const [place, name] of options.workloads.entries()) {
      if (options.signal.aborted) break
      options.onWorkload(name)
      const own = await calibrated(target, workloads[name], options)
      if (own === null) break
      const firstNumber = (1 + 3 * place) * numbersPerPart
      const common = { target, workload: workloads[name], request: own, admit, signal: options.signal }
      const { secondsPerLevel, concurrencyMax, repeats } = options
      const onLevel = (level: LevelResult) => options.onLevel(name, level)
      const measured = await sweep({ ...common, secondsPerLevel, concurrencyMax, repeats, firstNumber, onLevel })
      const limiter = await limiterOf(measured, own, firstNumber + numbersPerPart, options, admit)
      sweeps.push({ ...measured, limiter })
      if (name === 'score' && own.asCompletion && mayGoOn(measured, options.signal)) {
        options.onStep('lists')
        const promptsInFlight = bestLevel(measured)?.concurrency ?? 1
        const numbers = firstNumber + 2 * numbersPerPart
        lists = await listRun({ ...common, promptsInFlight, secondsPerLevel, firstNumber: numbers })
      }
    }
  } finally {
    await target.close()
  }
  const { secondsPerLevel, concurrencyMax, requestsMax, repeats, seed } = options
  return {
    ...{ format: 1, kind: 'bench-server', version, madeAt, url: target.label, model: options.model },
    server: target.capabilities.server,
    contextTokensMax: target.capabilities.contextTokensMax,
    settings: { secondsPerLevel, concurrencyMax, requestsMax, repeats, seed },
    ...{ sweeps, lists, requests },
    seconds: (performance.now() - startedMs) / 1000,
    complete:
      !options.signal.aborted &&
      sweeps.length === options.workloads.length &&
      sweeps.every(({ ended }) => ended === 'flat' || ended === 'concurrency-max'),
  }
}

function mayGoOn({ ended, levels }: SweepResult, signal: AbortSignal): boolean {
  return !signal.aborted && levels.length > 0 && (ended === 'flat' || ended === 'concurrency-max')
}

function bestLevel(measured: SweepResult): LevelResult | undefined {
  return measured.levels.reduce<LevelResult | undefined>(
    (best, level) => (best === undefined || rateOf(measured, level) > rateOf(measured, best) ? level : best),
    undefined,
  )
}

async function limiterOf(
  measured: SweepResult,
  request: RequestOptions,
  firstNumber: number,
  options: ServerBenchOptions,
  admit: () => boolean,
): Promise<SweepResult['limiter']> {
  const best = bestLevel(measured)
  if (!options.limiter || best === undefined || !mayGoOn(measured, options.signal)) return null
  options.onStep('limiter')
  return limiterRun({
    ...{ target: options, workload: workloads[measured.workload], request, firstNumber, admit },
    bestRate: measured.knee?.bestRate ?? rateOf(measured, best),
    latencyMs: best.latencyMs.p50,
    secondsPerLevel: options.secondsPerLevel,
    signal: options.signal,
  })
}

/**
 * Finds the form of request that the server takes, and the length of the text that gives the workload's prompt tokens.
 *
 * @returns null if it was stopped
 */
async function calibrated(
  target: Target,
  workload: Workload,
  { seed, signal }: ServerBenchOptions,
): Promise<RequestOptions | null> {
  let form = { asCompletion: target.capabilities.promptLists, ignoreEos: workload.outputTokens > 1, seed }
  const tokens: number[] = []
  try {
    for (const [number, chars] of calibrationChars.entries()) {
      const send = () => target.send(workloadRequest(workload, number, { ...form, chars }), number, signal)
      let record = await send()
      if (record.failure !== '' && form.ignoreEos) {
        form = { ...form, ignoreEos: false }
        record = await send()
      }
      if (record.failure !== '') {
        throw new EndpointError(
          say`${target.label} does not take a request of the kind '${workload.name}': ${record.failure}`,
        )
      }
      tokens.push(record.promptTokens)
    }
  } catch (error) {
    if (signal.aborted) return null
    throw error
  }
  const [few = 0, many = 0] = tokens
  const perChar = Math.max(0.05, (many - few) / (calibrationChars[1] - calibrationChars[0]))
  const chars = Math.max(20, Math.round(calibrationChars[0] + (workload.promptTokens - few) / perChar))
  return { ...form, chars }
}

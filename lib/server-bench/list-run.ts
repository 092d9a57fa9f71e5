/** Grades with one token, one prompt a request and several, with the same number of prompts in flight. */
import { ClosedLoop } from './closed-loop.js'
import { figuresOf } from './request-record.js'
import type { ListResult } from './results.js'
import type { Target } from './target.js'
import { type RequestOptions, type Workload, workloadRequest } from './workloads.js'

interface ListRunOptions {
  readonly target: Target
  readonly workload: Workload
  readonly request: RequestOptions
  /** Rounded down to a multiple of the longest list. */
  readonly promptsInFlight: number
  readonly secondsPerLevel: number
  readonly firstNumber: number
  /** Whether as many prompts may be sent. */
  readonly admit: (prompts: number) => boolean
  readonly signal: AbortSignal
}

/** Prompts in a request. */
const listSizes = [1, 4, 16, 64]
const settleMsMax = 60_000

/** @returns the sizes that were measured: fewer if `signal` or `admit` ended it */
export async function listRun(options: ListRunOptions): Promise<ListResult[]> {
  const results: ListResult[] = []
  let next = options.firstNumber
  const take = (prompts: number): number => {
    next += prompts
    return next - prompts
  }
  const sizes = listSizes.filter((each) => each <= options.promptsInFlight)
  const largest = sizes.at(-1) ?? 1
  // The same number of prompts for every size.
  const prompts = largest * Math.floor(options.promptsInFlight / largest)
  for (const size of sizes) {
    const inFlight = prompts / size
    const measured = await measure(options, size, inFlight, () => take(size))
    if (measured === null) break
    const single = results[0]?.gradesPerSecond ?? measured
    results.push({
      ...{ promptsPerRequest: size, requestsInFlight: inFlight },
      ...{ gradesPerSecond: measured, timesSingle: measured / single },
    })
  }
  return results
}

async function measure(
  { target, workload, request, secondsPerLevel, admit, signal }: ListRunOptions,
  size: number,
  inFlight: number,
  take: () => number,
): Promise<number | null> {
  const ended = new AbortController()
  const own = AbortSignal.any([signal, ended.signal])
  const loop = new ClosedLoop({
    admit: () => admit(size),
    send: () => {
      const first = take()
      const requests = Array.from({ length: size }, (_, at) => workloadRequest(workload, first + at, request))
      return target.sendList(requests, first, own)
    },
  })
  try {
    await loop.setConcurrency(inFlight, 200, signal)
    await loop.settled(settleMsMax, signal)
    const fromMs = performance.now()
    await loop.pause(1000 * secondsPerLevel, signal)
    const toMs = performance.now()
    await loop.openEnded(settleMsMax, signal)
    const { promptsPerSecond } = figuresOf(loop.records, { fromMs, toMs })
    return loop.exhausted || promptsPerSecond === 0 ? null : promptsPerSecond
  } catch (error) {
    if (signal.aborted) return null
    throw error
  } finally {
    ended.abort(new Error('the measurement has ended'))
    await loop.stop()
  }
}

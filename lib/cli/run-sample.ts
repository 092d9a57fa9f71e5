/**
 * `run --sample`: a few records of a recipe through every stage, in a directory beside that of the run, which uses the
 * replies. Shows the pairs and why other records gave none.
 */

import type { EventLog } from '../core/event-log.js'
import { count } from '../language/count.js'
import { say } from '../language/say.js'
import type { Recipe } from '../recipe/index.js'
import { sampleDirectory, sampleSettings, settingsOf } from '../recipe/run-settings.js'
import { rowsOf, total } from '../run/accounting.js'
import type { LatestRecord } from '../run/latest-records.js'
import { type KunRun, startKunRun } from '../run/run.js'
import { failureOf } from './failure.js'
import { faultyLines } from './faulty-shards.js'
import { inspectInThread } from './inspect-thread.js'
import { markOwnRun } from './own-run.js'
import { endOfError, type RunEnd } from './run-end.js'
import { type RunFigures, runFigures } from './run-figures.js'
import { RunStop } from './run-stop.js'
import { pc } from './terminal/colors.js'
import { Output, ReaderGone, sayOnStderr, writeOut } from './terminal/output.js'
import { serverLines } from './terminal/run-text.js'
import { terminalText } from './terminal/terminal-text.js'
import { printable, truncateText } from './terminal/wrap-text.js'

interface SampleOrder {
  /** Directory of the run, not of the sample. */
  readonly directory: string
  readonly records: number
  /** The command of the run. */
  readonly again: string
  readonly log: EventLog
  /** Prints the result as JSON in place of the pairs. */
  readonly json: boolean
}

interface SampleEnd {
  readonly end: RunEnd
  readonly figures: RunFigures
}

/** How often finished records are looked for. */
const showEveryMs = 300

/** @returns the exit code */
export async function runSample(recipe: Recipe, order: SampleOrder): Promise<number> {
  const printResult = (end: RunEnd, figures: RunFigures | null): void => {
    if (!order.json) return
    const place = { name: recipe.name, directory: sampleDirectory(order.directory), sample: order.records }
    writeOut(`${JSON.stringify({ command: 'run', ...place, ...end, ...figures })}\n`)
  }
  try {
    const { end, figures } = await sample(recipe, order)
    printResult(end, figures)
    return end.code
  } catch (error) {
    printResult(endOfError(error), null)
    throw error
  }
}

async function sample(recipe: Recipe, { directory, records, again, log, json }: SampleOrder): Promise<SampleEnd> {
  const stop = new RunStop(sayOnStderr, log)
  const startedMs = performance.now()
  const prepared = await stop.before(settingsOf(recipe, directory, sayOnStderr))
  try {
    const settings = await sampleSettings(prepared.settings, records)
    const faulty = settings.shards.flatMap(({ path, reject }) => (reject == null ? [] : [{ path, ...reject }]))
    for (const line of faultyLines(faulty)) sayOnStderr(line)
    sayOnStderr(say`sampling ${count(records, 'record')} of ${count(settings.shards.length, 'shard')}`)
    const run = await stop.opening(
      startKunRun(settings, { fresh: 'discard', log, onEvent: sayOnStderr, onWait: sayOnStderr }),
    )
    await markOwnRun(settings.output.dir)
    stop.started(run, Math.max(...Object.values(settings.models).map(({ deadlineMs }) => deadlineMs)))
    for (const line of serverLines(run, settings.models)) sayOnStderr(line)
    const end = await watched(run)
    stop.runEnded()
    const seconds = (performance.now() - startedMs) / 1000
    const figures = figuresOf(run, seconds)
    if (end instanceof Error) {
      const failure = failureOf(end)
      if (failure === null) throw end
      sayOnStderr(failure.message)
      return { end: endOfError(end), figures }
    }
    if (!json) await show(settings.output.dir, run, { seconds, again })
    return { end: { code: 0, reason: 'done', message: 'done' }, figures }
  } finally {
    stop.close()
    await prepared.close()
  }
}

function figuresOf(run: KunRun, seconds: number): RunFigures {
  const { servers } = run.progress()
  return runFigures(run, {
    elapsedSeconds: seconds,
    requests: Object.values(servers.stages).reduce((sum, { requests }) => sum + requests, 0),
    tokens: servers.tokens,
    storedRepliesUsed: servers.keptServed,
    retries: servers.retries,
  })
}

/** Shows one line for each record that is finished. @returns the error that stopped the run */
async function watched(run: KunRun): Promise<Error | null> {
  const shown = new Set<string>()
  const showNew = (): void => {
    const { latestPairs, latestRejects } = run.latest.snapshot()
    for (const record of [...latestPairs, ...latestRejects]) {
      if (shown.has(record.id)) continue
      shown.add(record.id)
      sayOnStderr(lineOf(record))
    }
  }
  const showing = setInterval(showNew, showEveryMs).unref()
  const end = await run.done.then(
    () => null,
    (error: Error) => error,
  )
  clearInterval(showing)
  return end
}

/** A line for a terminal: its text is in full below, or in the rejects. */
function lineOf({ reject, instruction, raw }: LatestRecord): string {
  const cells = Math.min(process.stderr.columns ?? 80, 120) - 1
  const text = printable(instruction || raw).replaceAll('\n', ' ')
  return truncateText(reject === null ? `  ${text}` : `  ${reject.stage}/${reject.reason}: ${text}`, cells)
}

async function show(
  directory: string,
  run: KunRun,
  { seconds, again }: { readonly seconds: number; readonly again: string },
): Promise<void> {
  const output = new Output(process.stdout)
  const print = (text: string) => output.write(Buffer.from(terminalText(`${text}\n`)))
  const { counters, servers } = run.progress()
  const all = Object.values(counters)
  const rows = rowsOf(counters)
  const sum = (of: (own: (typeof all)[number]) => number): number => all.reduce((so, own) => so + of(own), 0)
  const rejects = sum((own) => total(own.documentRejects) + total(own.chunkRejects) + total(own.attemptRejects))
  try {
    for (const [number, options] of [
      [rows, { mayBeEmpty: true }],
      [rejects, { rejects: true, mayBeEmpty: true }],
    ] as const) {
      if (number === 0) continue
      for await (const text of inspectInThread(directory, { number, ...options })) await print(text)
    }
    const records = count(
      sum(({ documents }) => documents),
      'record',
    )
    await print('')
    await print(
      pc.bold(
        say`${records}: ${count(rows, 'pair')} and ${count(rejects, 'reject')} in ${seconds.toFixed(1)} s, ${count(servers.tokens, 'token')}`,
      ),
    )
    await print(say`Kept in ${directory}. This run uses the replies and does not send these requests again:`)
    await print(`  ${again}`)
  } catch (error) {
    // The pager was closed.
    if (!(error instanceof ReaderGone)) throw error
  }
}

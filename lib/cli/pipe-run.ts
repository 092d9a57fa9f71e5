/** One call of `kun-stream pipe`: opens its parts, runs the graph, prints the summary. */
import type { EventLog } from '../core/event-log.js'
import type { Run } from '../core/run.js'
import { UsageError } from '../errors.js'
import { say } from '../language/say.js'
import type { Recipe } from '../recipe/index.js'
import type { OpenModels } from '../recipe/models.js'
import { ProgressTracker } from '../report/progress.js'
import type { ByteTarget } from '../run/sinks/byte-target.js'
import { workersOptions } from '../workers/options.js'
import { warned } from './log-file.js'
import { refuseInputAsOutput, rejectsOutput } from './output-files.js'
import type { PipeFlags } from './pipe-flags.js'
import { type PipeCounts, pipeGraph, pipeSource, TextStages } from './pipe-graph.js'
import { checkStages, type PipeStages, parseStages } from './pipe-stages.js'
import { countText } from './terminal/bytes-text.js'
import { Output, ReaderGone, sayOnStderr } from './terminal/output.js'
import { Progress } from './terminal/progress.js'
import { endBySignal, onStopSignal, type StopSignal } from './terminal/stop-signals.js'
import { unreadableText } from './unreadable-records.js'

/** Runs the stages that the flags name; a closed reader ends it without an error. */
export async function pipe(files: readonly string[], flags: PipeFlags, log: EventLog): Promise<void> {
  try {
    await pipeRows(files, flags, log)
  } catch (error) {
    if (!(error instanceof ReaderGone)) throw error
  }
}

async function pipeRows(files: readonly string[], flags: PipeFlags, log: EventLog): Promise<void> {
  const stages = await stagesOf(flags)
  const output = await outputOf(flags)
  await refuseInputAsOutput(flags.out, files)
  const rejected = await rejectsOutput(flags.rejects, [...files, flags.out])
  const rejects = rejected && targetOf(rejected)
  const counts: PipeCounts = { documents: 0, kept: 0, duplicates: 0, rejected: 0, unreadable: 0, firstUnreadable: '' }
  const source = pipeSource(files, flags, warned(log))
  const text = new TextStages(stages, counts)
  const stop = new PipeStop(log)
  let models: OpenModels | null = null
  let run: Run | null = null
  try {
    text.start()
    models = stages.models.length === 0 ? null : await openStageModels(stages, log)
    log.info('pipe-opened', { stages: [...stages.names], to: flags.to })
    const check = (): void => refuseUnreadable(counts, flags.text)
    const graph = await pipeGraph({
      source,
      stages,
      text,
      models,
      to: output,
      format: flags.to,
      rejects,
      counts,
      check,
    })
    run = graph.run()
    stop.watch(run)
    const progress = progressOf(run, models)
    progress?.start()
    await run.done.finally(() => progress?.stop())
    check()
    const { firstUnreadable: _, ...summed } = counts
    log.info('pipe-ended', summed)
    sayOnStderr(flags.json ? resultJson(counts) : summary(counts, stages, rejects !== null))
  } finally {
    if (run === null) await text.close()
    await models?.close()
    stop.end()
  }
}

/** @throws {UsageError} no record could be read */
function refuseUnreadable({ documents, unreadable, firstUnreadable }: PipeCounts, text: string): void {
  if (documents === 0 || unreadable < documents) return
  throw new UsageError(say`--text is ${text}: ${unreadableText(documents, firstUnreadable)}`)
}

async function stagesOf(flags: PipeFlags): Promise<PipeStages> {
  const names = parseStages(flags.stages)
  if (flags.set.length > 0 && flags.recipe === undefined) throw new UsageError(say`--set requires --recipe`)
  const recipe = flags.recipe === undefined ? null : await readRecipe(flags.recipe, flags.set)
  const workers = { ...recipe?.workers, ...(flags.threads !== undefined && { threads: threadsOf(flags.threads) }) }
  return checkStages({ names, recipe, workers })
}

async function readRecipe(path: string, set: readonly string[]): Promise<Recipe> {
  const { loadRecipe } = await import('../recipe/index.js')
  return loadRecipe(path, set)
}

function threadsOf(flag: string): number | 'auto' {
  const parsed = workersOptions.shape.threads.safeParse(flag === 'auto' ? 'auto' : Number(flag))
  if (!parsed.success) throw new UsageError(say`--threads is ${flag}: give a number from 1, or auto`)
  return parsed.data
}

/** Returns the path of --out, or standard output. @throws {UsageError} a binary format would go to a terminal */
async function outputOf({ out, to }: PipeFlags): Promise<string | ByteTarget> {
  if (out !== undefined) return out
  if (process.stdout.isTTY && to !== 'jsonl') {
    throw new UsageError(say`standard output is a terminal: redirect it, or name a file for ${to} with --out`)
  }
  return targetOf(new Output(process.stdout))
}

function targetOf(output: Output): ByteTarget {
  return { write: (parts) => output.writeAll(parts), end: () => output.end(), discard: async () => undefined }
}

async function openStageModels({ recipe, models }: PipeStages, log: EventLog): Promise<OpenModels> {
  if (recipe === null) throw new UsageError(say`stages that call a model need --recipe`)
  const { openModels } = await import('../recipe/models.js')
  return openModels(recipe, { only: models, onEvent: sayOnStderr, log })
}

/** Returns null if stderr is not a terminal, or if rows go to a terminal: progress would interleave with them. */
function progressOf(run: Run, models: OpenModels | null): Progress | null {
  if (!process.stderr.isTTY || process.stdout.isTTY) return null
  const noServers = { waiting: 0, retries: 0, keptServed: 0, tokens: 0, endpoints: [], stages: {} }
  const tracker = new ProgressTracker(() => ({
    metrics: run.metrics(),
    servers: models?.metrics() ?? noServers,
    readBytes: 0,
    input: null,
    storedReplies: 0,
    totals: null,
    cuts: null,
    lastPair: null,
  }))
  return new Progress(() => tracker.read())
}

/**
 * At a stop signal: aborts the graph, and ends the process by that signal once the graph is closed. A second signal
 * ends the process immediately.
 */
class PipeStop {
  readonly #release: () => void
  #run: Run | null = null
  #signal: StopSignal | null = null

  constructor(log: EventLog) {
    this.#release = onStopSignal((signal, nth) => {
      log.warn('stop-signal', { signal, number: nth })
      if (this.#run === null || nth > 1) endBySignal(signal)
      this.#signal = signal
      this.#run.abort()
    })
  }

  watch(run: Run): void {
    this.#run = run
  }

  /** Removes the listener; ends the process if a signal was received. Called once the graph and models are closed. */
  end(): void {
    this.#release()
    if (this.#signal !== null) endBySignal(this.#signal)
  }
}

function resultJson({ documents, kept, duplicates, rejected, unreadable }: PipeCounts): string {
  return JSON.stringify({
    command: 'pipe',
    code: 0,
    reason: 'done',
    documents,
    rows: kept,
    duplicates,
    rejected,
    unreadable,
  })
}

function summary(counts: PipeCounts, { names }: PipeStages, hasRejects: boolean): string {
  const { documents, kept, duplicates, rejected } = counts
  const rows = countText(kept, names.has('label') ? 'pair' : 'chunk')
  const text = say`${countText(documents, 'document')}: ${rows} out, ${countText(duplicates, 'duplicate')}, ${rejected} rejected`
  return rejected > 0 && !hasRejects ? say`${text} (--rejects FILE says why)` : text
}

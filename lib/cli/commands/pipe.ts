/**
 * `kun-stream pipe`: runs some or all stages of a run between any source and standard output or a file, without a run
 * directory. The output contains rows only; messages, the summary and progress go to stderr.
 */
import { type Command, Option } from 'commander'
import type { EventLog } from '../../core/event-log.js'
import type { Run } from '../../core/run.js'
import { UsageError } from '../../errors.js'
import { say } from '../../language/say.js'
import { loadRecipe } from '../../recipe/index.js'
import { type OpenModels, openModels } from '../../recipe/models.js'
import { ProgressTracker } from '../../report/progress.js'
import type { ByteTarget } from '../../run/sinks/byte-target.js'
import { workersOptions } from '../../workers/options.js'
import { addCommand } from '../command-summaries.js'
import { hubUrlOption, tokenOption } from '../hub-options.js'
import { addLogOptions, type LogFlags, warned, withLog } from '../log-file.js'
import { type PipeCounts, pipeGraph, pipeSource } from '../pipe-graph.js'
import {
  checkStages,
  modelStageNames,
  type PipeFlags,
  type PipeStages,
  parseStages,
  stageNames,
} from '../pipe-stages.js'
import { collect, setOption } from '../recipe-options.js'
import { countText } from '../terminal/bytes-text.js'
import { fileOutput, Output, ReaderGone, sayOnStderr } from '../terminal/output.js'
import { Progress } from '../terminal/progress.js'
import { endBySignal, onStopSignal, type StopSignal } from '../terminal/stop-signals.js'
import { unreadableText } from '../unreadable-records.js'

export function registerPipe(program: Command): void {
  const command = addCommand(program, 'pipe')
    .argument('[files...]', 'files or globs in any format that a recipe reads; - or nothing reads standard input')
    .option('--hub <owner/name>', 'read a dataset on the Hub in place of files')
    .option('--files <glob>', 'with --hub: paths in the dataset (may be repeated; ! excludes)', collect, [])
    .option('--revision <name>', 'with --hub: branch, tag or commit', 'main')
    .addOption(hubUrlOption())
    .addOption(tokenOption())
    .addOption(
      new Option('--from <format>', 'format of the input, if it is not detected').choices([
        'jsonl',
        'arrow',
        'parquet',
      ]),
    )
    .option(
      '--stages <names>',
      `of ${stageNames.join(', ')}, in this order; clean always runs`,
      'clean,filter,chunk,dedup',
    )
    .option('--recipe <file>', `models, prompts and thresholds; required for ${modelStageNames.join(', ')}`)
    .addOption(setOption())
    .addOption(
      new Option('--to <format>', 'format of the output').choices(['jsonl', 'arrow', 'parquet']).default('jsonl'),
    )
    .option('--out <file>', 'write to a file in place of standard output')
    .option('--text <field>', 'field of the text', 'text')
    .option('--id <field>', "field of the record's own id")
    .option('--title <field>', 'field of the title, which prompts get with the text')
    .option('--threads <n>', 'worker threads; auto is one fewer than there are cores')
    .option('--rejects <file>', 'write what was dropped, and why, as JSON Lines')
    .option('--json', 'print the summary as one JSON object, the last line of standard error')
  addLogOptions(command).action(async (files: string[], flags: PipeFlags & LogFlags) => {
    await withLog('pipe', flags, async (log) => {
      try {
        await pipe(files, flags, log)
      } catch (error) {
        if (!(error instanceof ReaderGone)) throw error
      }
    })
  })
}

async function pipe(files: readonly string[], flags: PipeFlags, log: EventLog): Promise<void> {
  const stages = await stagesOf(flags)
  const output = await outputOf(flags)
  const rejects = flags.rejects === undefined ? null : targetOf(await fileOutput(flags.rejects))
  const stop = new PipeStop(log)
  let models: OpenModels | null = null
  try {
    const source = pipeSource(files, flags, warned(log))
    models = stages.models.length === 0 ? null : await openStageModels(stages, log)
    log.info('pipe-opened', { stages: [...stages.names], to: flags.to })
    const counts: PipeCounts = { documents: 0, kept: 0, duplicates: 0, rejected: 0, unreadable: 0, firstUnreadable: '' }
    const run = pipeGraph({ source, stages, models, to: output, format: flags.to, rejects, counts }).run()
    stop.watch(run)
    const progress = progressOf(run, models)
    progress?.start()
    await run.done.finally(() => progress?.stop())
    const allUnreadable = counts.documents > 0 && counts.unreadable === counts.documents
    if (allUnreadable) {
      throw new UsageError(say`--text is ${flags.text}: ${unreadableText(counts.documents, counts.firstUnreadable)}`)
    }
    const { firstUnreadable: _, ...summed } = counts
    log.info('pipe-ended', summed)
    sayOnStderr(flags.json ? resultJson(counts) : summary(counts, stages, rejects !== null))
  } finally {
    await models?.close()
    stop.end()
  }
}

async function stagesOf(flags: PipeFlags): Promise<PipeStages> {
  const names = parseStages(flags.stages)
  if (flags.set.length > 0 && flags.recipe === undefined) throw new UsageError(say`--set requires --recipe`)
  const recipe = flags.recipe === undefined ? null : await loadRecipe(flags.recipe, flags.set)
  const workers = { ...recipe?.workers, ...(flags.threads !== undefined && { threads: threadsOf(flags.threads) }) }
  return checkStages({ names, recipe, workers })
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

function openStageModels({ recipe, models }: PipeStages, log: EventLog): Promise<OpenModels> {
  if (recipe === null) throw new UsageError(say`stages that call a model need --recipe`)
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

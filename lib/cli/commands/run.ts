/**
 * `kun-stream run RECIPE`: starts or resumes a run, shows its progress, and ends with a summary. What follows a run
 * (timings, publishing, `onExit`) happens here; a failure of it does not affect the run.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { type Command, Option } from 'commander'
import { type EventLog, noLog } from '../../core/event-log.js'
import { AbortedError, EndpointError, UsageError } from '../../errors.js'
import { reportWaits } from '../../http/retry-messages.js'
import { type Phase, phases } from '../../kun/stage-ranks.js'
import { count } from '../../language/count.js'
import { say } from '../../language/say.js'
import { endpointLabel } from '../../llm/protocol/client.js'
import { loadRecipe, type Recipe } from '../../recipe/index.js'
import { mustHaveTexts } from '../../recipe/recipe-sources.js'
import { type PreparedSettings, settingsOf } from '../../recipe/run-settings.js'
import { ProgressTracker, type RunProgress } from '../../report/progress.js'
import { type KunRun, startKunRun } from '../../run/run.js'
import { runRecordName } from '../../storage/run-layout.js'
import { commandName, shellWord } from '../command-name.js'
import { addCommand } from '../command-summaries.js'
import { failureOf } from '../failure.js'
import { faultyLines } from '../faulty-shards.js'
import { addLogOptions, type LogFlags, withLog } from '../log-file.js'
import { metricsOption } from '../metrics-option.js'
import type { MetricsServer } from '../metrics-server.js'
import { runOnExit } from '../on-exit.js'
import { portNumber, wholeNumber } from '../option-numbers.js'
import { markOwnRun } from '../own-run.js'
import { outOption, type RecipeFlags, setOption } from '../recipe-options.js'
import { endOfError, type RunEnd } from '../run-end.js'
import { type RunFigures, runFigures } from '../run-figures.js'
import { RunMirror, type RunningMirror } from '../run-mirror.js'
import { RunPublish } from '../run-publish.js'
import { writeRunReport } from '../run-report.js'
import { RunStop } from '../run-stop.js'
import { RunUi, type UiFlag } from '../run-ui.js'
import { countText } from '../terminal/bytes-text.js'
import { writeErr, writeOut } from '../terminal/output.js'
import { RunTerminal } from '../terminal/run-terminal.js'
import { conclusionText, serverLines } from '../terminal/run-text.js'
import { watchRun } from '../watch-run.js'

interface RunFlags extends RecipeFlags, LogFlags {
  readonly json?: boolean
  readonly metrics?: number
  readonly fresh?: boolean
  readonly force?: boolean
  readonly through?: Phase
  readonly fromMirror?: boolean
  readonly sample?: number
  readonly ui?: UiFlag
}

export function registerRun(program: Command): void {
  const command = addCommand(program, 'run')
    .argument('<recipe>', 'a YAML file: docs/recipe.md; - reads standard input')
    .addOption(outOption())
    .addOption(setOption())
    .option('--sample <records>', say`first try a few records, spread over all shards`, wholeNumber(1))
    .option('--fresh', 'refuse to resume a run that exists')
    .option('--force', 'with --fresh: delete that run, except its replies')
    .option('--from-mirror', 'first restore the run from mirror.to, to a directory that does not exist')
    .option('--ui [port]', 'serve a page of the run on this machine; on a free port by default', portNumber)
    .addOption(
      new Option('--through <stage>', 'stop every record after this stage; a later run continues').choices(phases),
    )
    .addOption(metricsOption())
    .option('--json', 'print one JSON object at the end in place of the summary')
  addLogOptions(command).action(async (path: string, flags: RunFlags) => {
    if (flags.force && !flags.fresh) throw new UsageError(say`--force requires --fresh: it deletes the run that exists`)
    refuseWithSample(flags)
    await withLog('run', flags, async (log) => {
      const recipe = await loadRecipe(path, flags.set)
      const { out, through, fresh, force, fromMirror, sample, ui } = flags
      if (sample !== undefined) {
        const order = {
          directory: out ?? recipe.output.dir,
          records: sample,
          again: resumeCommand(path, flags),
          log,
          json: flags.json ?? false,
        }
        const { runSample } = await import('../run-sample.js')
        process.exitCode = await runSample(recipe, order)
        return
      }
      const code = await runRecipe(recipe, {
        directory: out ?? recipe.output.dir,
        again: resumeCommand(path, flags),
        fromMirror,
        through,
        ui,
        log,
        command: 'run',
        json: flags.json,
        metricsPort: flags.metrics,
        ...(fresh && { fresh: force ? 'discard' : 'refuse' }),
      })
      // A failed write to stdout is reported in a later turn. The summary is then lost, so the command fails.
      await setImmediate()
      process.exitCode = code === 0 && process.exitCode ? 1 : code
    })
  })
}

/** The directory of a sample is its own, and starts over each time. */
function refuseWithSample({ sample, fresh, through, fromMirror, ui, metrics }: RunFlags): void {
  if (
    sample === undefined ||
    !(fresh || fromMirror || through !== undefined || ui !== undefined || metrics !== undefined)
  )
    return
  throw new UsageError(say`--sample cannot be combined with --fresh, --from-mirror, --through, --ui or --metrics`)
}

/** Returns the command that resumes the run, with the overrides: without them its directory would refuse the recipe. */
function resumeCommand(path: string, { out, set }: RunFlags): string {
  const words = ['run', path, ...(out === undefined ? [] : ['--out', out]), ...set.flatMap((each) => ['--set', each])]
  return [commandName(), ...words.map(shellWord)].join(' ')
}

interface RunOrder {
  readonly directory: string
  /** The command that resumes the run, for messages. */
  readonly again: string
  readonly through?: Phase | undefined
  readonly fresh?: 'refuse' | 'discard'
  readonly fromMirror?: boolean | undefined
  readonly ui?: UiFlag
  readonly log?: EventLog | undefined
  /** Name of the command, for its result. */
  readonly command?: string
  /** Prints the result as JSON in place of the summary. */
  readonly json?: boolean | undefined
  /** Port of `/metrics`; none by default. */
  readonly metricsPort?: number | undefined
}

/** An invocation of `run`: how it was called, and where it reports. Nothing in it comes from the recipe. */
interface RunCall extends RunOrder {
  readonly terminal: RunTerminal
  readonly log: EventLog
  /** What the run made, once it has ended. */
  readonly made: { figures: RunFigures | null }
  /** Writes a part of the summary: to standard output, which with --json belongs to the result. */
  readonly conclude: (text: string) => void
  /** Reports a request to the Hub that is retried. */
  readonly onWait: (line: string) => void
}

/** Runs a recipe to its end, and then its `onExit`. @returns the exit code */
export async function runRecipe(recipe: Recipe, order: RunOrder): Promise<number> {
  const call = callOf(order)
  const finish = async (end: RunEnd): Promise<void> => {
    call.log[end.code === 0 ? 'info' : 'warn']('run-ended', { ...end })
    if (order.json) {
      const { command = 'run', directory } = order
      writeOut(`${JSON.stringify({ command, name: recipe.name, directory, ...end, ...call.made.figures })}\n`)
    }
    if (recipe.onExit === undefined) return
    const problem = await runOnExit(recipe.onExit, { ...end, directory: order.directory })
    call.log.info('on-exit', { problem })
    if (problem !== null) call.terminal.print(problem)
  }
  try {
    const end = await conduct(recipe, call)
    await finish(end)
    return end.code
  } catch (error) {
    await finish(endOfError(error))
    throw error
  }
}

function callOf(order: RunOrder): RunCall {
  const { log = noLog } = order
  const terminal = new RunTerminal()
  return {
    ...order,
    terminal,
    log,
    made: { figures: null },
    conclude: order.json ? writeErr : writeOut,
    onWait: (line) => {
      log.warn('hub-waiting', { message: line })
      terminal.print(line)
    },
  }
}

function mirrorOf({ mirror, hub }: Recipe, { directory, terminal: { print }, log, onWait }: RunCall): RunMirror | null {
  if (mirror === undefined) return null
  return new RunMirror({ ...mirror, directory, connection: { ...hub, ...reportWaits(onWait) }, print, log })
}

function publishOf({ publish, hub }: Recipe, { directory, terminal: { print }, log }: RunCall): RunPublish | null {
  if (publish === undefined) return null
  const { whileRunning = false, everyMs, ...options } = publish
  return new RunPublish({
    options: { ...options, directory, connection: hub },
    everyMs: whileRunning ? everyMs : null,
    print,
    log,
  })
}

async function conduct(recipe: Recipe, call: RunCall): Promise<RunEnd> {
  const { name } = recipe
  const { directory, through, terminal, log } = call
  const [mirror, publish] = [mirrorOf(recipe, call), publishOf(recipe, call)]
  const stop = new RunStop(terminal.print, log)
  let prepared: PreparedSettings | null = null
  let tracker: ProgressTracker | null = null
  let [ui, metrics]: [RunUi | null, MetricsServer | null] = [null, null]
  try {
    ui = await RunUi.start(call.ui, directory, terminal.print)
    metrics = await startMetrics(call, name, () => tracker?.read() ?? null)
    if (call.fromMirror) await stop.before(restore(mirror))
    prepared = await stop.before(settingsOf(recipe, directory, call.onWait))
    const { settings, sampled, builtin } = prepared
    if (sampled !== null) {
      terminal.print(say`using the replies of ${sampled.directory}, a sample of ${count(sampled.records, 'record')}`)
    }
    const faulty = settings.shards.flatMap(({ path, reject }) => (reject == null ? [] : [{ path, ...reject }]))
    for (const shard of faulty) log.warn('shard-unreadable', shard)
    if (!isResumed(call)) await stop.before(mustHaveTexts(recipe, settings.shards))
    for (const line of faultyLines(faulty)) terminal.print(line)
    const { run, copies } = await open({ name, settings, mirror }, call, stop)
    const endPublishing = publish?.start(stop.giveUp)
    tracker = new ProgressTracker(() => run.progress(), settings.limits.rowsMax)
    const outcome = await watchRun(run, {
      directory,
      tracker,
      terminal,
      onSeries: async (series, tracker) => ui?.attach(run, series, tracker),
    })
    ui?.ended('end' in outcome ? outcome.end : endOfError(outcome.error).reason)
    call.made.figures = runFigures(run, tracker.read())
    stop.runEnded()
    await endPublishing?.('end' in outcome)
    const mirrorFailure = (await copies?.close()) ?? null
    stop.close()
    if ('error' in outcome) return stopped(outcome.error, run, call)
    if (through !== undefined) {
      call.conclude(say`${name}: through ${through}, replies are in ${directory}/replies\nNext: ${call.again}\n`)
      return mirrored(mirrorFailure, { code: 0, reason: 'done', message: `through ${through}` }, call)
    }
    const { end, timings } = outcome
    await writeRunReport(directory, terminal.print)
    call.conclude(conclusionText(run, { name, directory, end, builtin, timings }))
    const done = { code: 0, reason: end === 'limit' ? 'limits.rowsMax' : 'done', message: 'done' }
    return mirrored(mirrorFailure, publish === null ? done : await published(publish, done, call), call)
  } finally {
    stop.close()
    await ui?.close()
    await metrics?.close()
    await prepared?.close()
  }
}

/** Listens before anything is written, so that a port in use ends the command. */
async function startMetrics(
  { metricsPort, terminal }: RunCall,
  name: string,
  read: () => RunProgress | null,
): Promise<MetricsServer | null> {
  if (metricsPort === undefined) return null
  const { serveMetrics } = await import('../metrics-server.js')
  const { metricDefinitions } = await import('../../report/metric-definitions.js')
  const server = await serveMetrics(metricsPort, name, metricDefinitions, read)
  terminal.print(say`metrics: ${server.url}`)
  return server
}

/** Whether the directory has a run that this call resumes: its sources were checked when it started. */
function isResumed({ directory, fresh }: RunCall): boolean {
  return fresh !== 'discard' && existsSync(join(directory, runRecordName))
}

async function restore(mirror: RunMirror | null): Promise<void> {
  if (mirror === null) throw new UsageError(say`--from-mirror: the recipe has no mirror.to`)
  await mirror.restore()
}

/** Opens the run and its mirror. A run without its mirror is aborted. */
async function open(
  { name, settings, mirror }: Pick<PreparedSettings, 'settings'> & { name: string; mirror: RunMirror | null },
  { directory, through, fresh, terminal, log }: RunCall,
  stop: RunStop,
): Promise<{ run: KunRun; copies: RunningMirror | null }> {
  const { print } = terminal
  // Notes about servers are printed once the run has started; if it does not start, only its error is printed.
  let notes: string[] | null = []
  const starting = startKunRun(settings, {
    onEvent: (line) => (notes === null ? print(line) : notes.push(line)),
    // Printed immediately, not after the servers respond: the user is waiting.
    onWait: (line) => {
      log.info('waiting', { message: line })
      print(line)
    },
    through,
    log,
    ...(fresh && { fresh }),
  })
  const run = await stop.opening(starting).catch((error: unknown) => {
    throw withRecipePath(error)
  })
  log.info('run-opened', {
    name,
    directory,
    through: through ?? null,
    shards: settings.shards.length,
    blocksDone: run.blocksDone,
    models: Object.fromEntries(
      Object.entries(settings.models).map(([model, { endpoints }]) => [
        model,
        'file' in endpoints ? endpoints : endpoints.map(endpointLabel),
      ]),
    ),
    capabilities: run.capabilities,
  })
  await markOwnRun(directory).catch((error: Error) =>
    print(say`cannot mark ${directory} as a run of this account: ${error.message}; rebuild will require --trust`),
  )
  const models = Object.values(settings.models)
  stop.started(run, Math.max(...models.map(({ deadlineMs }) => deadlineMs)))
  const copies = await mirror?.start(stop.giveUp).catch(async (error: unknown) => {
    run.abort(new AbortedError(say`the mirror cannot be opened`))
    await run.done.catch(() => undefined) // the error of the mirror is thrown instead
    throw error
  })
  for (const line of [...notes, ...serverLines(run, settings.models)]) print(line)
  notes = null
  return { run, copies: copies ?? null }
}

/** Adds the path in the recipe to the error of a server that cannot be used. */
function withRecipePath(error: unknown): unknown {
  if (!(error instanceof EndpointError) || typeof error.details.model !== 'string') return error
  const { message, details, cause } = error
  return new EndpointError(`models.${error.details.model}.endpoints: ${message}`, { cause, details })
}

function stopped(error: unknown, run: KunRun, { directory, again, terminal }: RunCall): RunEnd {
  const failure = failureOf(error)
  if (failure === null) throw error
  terminal.print(failure.message)
  if (failure.exitCode === 3) {
    const { cuts } = run.progress()
    terminal.print(
      say`${countText(cuts, 'cut is', 'cuts are')} committed in ${directory} and every reply received is kept. Resume with: ${again}`,
    )
  }
  return endOfError(error)
}

/** A failure to publish does not undo the run. */
async function published(publish: RunPublish, done: RunEnd, { terminal, log, conclude }: RunCall): Promise<RunEnd> {
  try {
    const { url } = await publish.finish()
    conclude(say`Published: ${url}\n`)
    return done
  } catch (error) {
    const end = endOfError(error)
    log.error('publish-failed', { ...end })
    terminal.print(say`The run is done, but not published: ${end.message}`)
    terminal.print(say`Retry with: ${publish.command}`)
    if (failureOf(error) === null) throw error
    return end
  }
}

/** Exit code of a run whose mirror is incomplete: the machine must not be discarded yet. */
function mirrored(failure: unknown, end: RunEnd, { again, terminal }: RunCall): RunEnd {
  if (failure === null || end.code !== 0) return end
  terminal.print(say`The run is done, but its mirror is not up to date. Copy the rest with: ${again}`)
  return endOfError(failure)
}

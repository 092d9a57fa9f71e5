/**
 * `kun-stream run RECIPE`: starts a run or goes on with it, shows how it goes, and ends with the funnel and what to do next.
 * What follows a run (timings, publishing, the user's own command) is done here; none of it can lose the run.
 */
import { setImmediate } from 'node:timers/promises'
import { type Command, Option } from 'commander'
import { AbortedError, EndpointError, LockLostError, UsageError } from '../../errors.js'
import { type Phase, phases } from '../../kun/stages.js'
import type { PublishOptions } from '../../publish/publish.js'
import { loadRecipe, type Recipe } from '../../recipe/index.js'
import { type PreparedSettings, settingsOf } from '../../recipe/run-settings.js'
import { appendTimings, type CallTimings, TimingsRecorder } from '../../report/timings.js'
import { type KunRun, type KunRunEnd, startKunRun } from '../../run/run.js'
import { called, quoted } from '../command-name.js'
import { failureOf } from '../failure.js'
import { faultyLines } from '../faulty-shards.js'
import { mirrorOf, restored } from '../mirror.js'
import { runOnExit } from '../on-exit.js'
import { markOwnRun } from '../own-run.js'
import { publishingOf, publishOptionsOf } from '../publish-while.js'
import { RunStop } from '../run-stop.js'
import { counted } from '../terminal/bytes-text.js'
import { sayOnStderr, writeOut } from '../terminal/output.js'
import { Progress } from '../terminal/progress.js'
import { RunState } from '../terminal/run-state.js'
import { conclusionText, serverLines } from '../terminal/run-text.js'
import { publishRun } from './publish.js'

/** `status` shows a run that is under way from what was written last. */
const timingsEveryMs = 10_000

interface RunFlags {
  readonly out?: string
  readonly set: string[]
  readonly fresh?: boolean
  readonly force?: boolean
  readonly through?: Phase
  readonly fromMirror?: boolean
}

export function registerRun(program: Command): void {
  program
    .command('run')
    .description('run a recipe, or go on with the run in its directory')
    .argument('<recipe>', 'a YAML file: docs/recipe.md')
    .option('--out <dir>', 'run directory, in place of output.dir')
    .option('--set <path=value>', 'override a field: kun.score.keepAtLeast=0.4 (may be repeated)', collect, [])
    .option('--fresh', 'refuse to go on with a run that is there')
    .option('--force', 'with --fresh: delete that run, but for its replies')
    .option('--from-mirror', 'bring the run back from mirror.to first, on a machine that has nothing of it')
    .addOption(
      new Option(
        '--through <stage>',
        'stop every record after this stage; a later run goes on from its replies',
      ).choices(phases),
    )
    .action(async (path: string, flags: RunFlags) => {
      if (flags.force && !flags.fresh)
        throw new UsageError('--force goes with --fresh: it deletes the run that is there')
      const recipe = await loadRecipe(path, flags.set)
      const { out, through, fresh, force, fromMirror } = flags
      const code = await runRecipe(recipe, {
        directory: out ?? recipe.output.dir,
        again: againText(path, flags),
        fromMirror,
        through,
        ...(fresh && { fresh: force ? 'discard' : 'refuse' }),
      })
      // The error of a write comes a moment after it. The run is done then and nothing of it resumes: its summary is lost.
      await setImmediate()
      process.exitCode = code === 0 && process.exitCode ? 1 : code
    })
}

/** With its overrides: without them the directory would refuse it. */
function againText(path: string, { out, set }: RunFlags): string {
  const overrides = set.flatMap((each) => ['--set', each])
  return [called(), ...['run', path, ...(out === undefined ? [] : ['--out', out]), ...overrides].map(quoted)].join(' ')
}

export interface RunOrder {
  readonly directory: string
  /** The command that goes on with it. */
  readonly again: string
  readonly through?: Phase | undefined
  readonly fresh?: 'refuse' | 'discard'
  readonly fromMirror?: boolean | undefined
}

interface Ended {
  readonly code: number
  /** A stable word. */
  readonly reason: string
  readonly message: string
}

/** Runs a recipe to its end, and then its `onExit`. @returns the exit code */
export async function runRecipe(recipe: Recipe, order: RunOrder): Promise<number> {
  const told = async (ended: Ended): Promise<void> => {
    if (recipe.onExit === undefined) return
    const problem = await runOnExit(recipe.onExit, { ...ended, directory: order.directory })
    if (problem !== null) say(problem)
  }
  try {
    const ended = await conduct(recipe, order)
    await told(ended)
    return ended.code
  } catch (error) {
    await told(endedBy(error))
    throw error
  }
}

async function conduct(recipe: Recipe, order: RunOrder): Promise<Ended> {
  const { directory, through } = order
  const stop = new RunStop(say)
  let prepared: PreparedSettings | null = null
  try {
    if (order.fromMirror) say(await stop.before(restored(recipe, directory, say)))
    prepared = await stop.before(settingsOf(recipe, directory, say))
    const faulty = prepared.settings.shards.flatMap(({ path, fault }) => (fault == null ? [] : [{ path, ...fault }]))
    for (const line of faultyLines(faulty)) say(line)
    // What is said while servers are opened: of a run that does not begin, its error says it all.
    let early: string[] | null = []
    const starting = startKunRun(prepared.settings, {
      onEvent: (message) => (early === null ? say(message) : early.push(message)),
      // Printed immediately, not after the servers respond: the user is waiting.
      onWait: say,
      through,
      ...(order.fresh && { fresh: order.fresh }),
    })
    const session = await stop.opening(starting).catch((error: unknown) => {
      throw inRecipe(error)
    })
    await markOwnRun(directory).catch((error: Error) =>
      say(`cannot mark ${directory} as made here: ${error.message}. rebuild will ask for --trust`),
    )
    stop.works(session, Math.max(...Object.values(recipe.models).map(({ deadlineMs }) => deadlineMs)))
    const mirror = await mirrorOf(recipe, directory, say, stop.giveUp).catch(async (error: unknown) => {
      session.abort(new AbortedError('the mirror cannot be opened'))
      await session.done.catch(() => undefined) // the mirror's error is the one to show
      throw error
    })
    for (const line of [...early, ...serverLines(session, recipe)]) say(line)
    early = null
    const publishing = publishingOf(recipe, directory, say, stop.giveUp)
    const outcome = await watched(session, prepared, directory)
    stop.sessionEnded()
    await publishing.close('end' in outcome)
    const notMirrored = await mirror.close()
    stop.close()
    if ('error' in outcome) return stopped(outcome.error, session, order)
    if (through !== undefined) {
      writeOut(`${recipe.name}: through ${through}, replies are in ${directory}/replies\nNext: ${order.again}\n`)
      return mirrored(notMirrored, { code: 0, reason: 'done', message: `through ${through}` }, order)
    }
    const { end, timings } = outcome
    writeOut(conclusionText(session, { recipe, directory, end, builtin: prepared.builtin, timings }))
    const done = { code: 0, reason: end === 'limit' ? 'limits.rowsMax' : 'done', message: 'done' }
    const publish = publishOptionsOf(recipe, directory)
    return mirrored(notMirrored, publish === null ? done : await published(publish, done), order)
  } finally {
    stop.close()
    await prepared?.close()
  }
}

/** Where in the recipe a server stands that does not answer. */
function inRecipe(error: unknown): unknown {
  if (!(error instanceof EndpointError) || typeof error.details.model !== 'string') return error
  const { message, details, cause } = error
  return new EndpointError(`models.${error.details.model}.endpoints: ${message}`, { cause, details })
}

type Outcome = { readonly end: KunRunEnd; readonly timings: CallTimings } | { readonly error: unknown }

/** Shows the session until it ends, one way or the other, and writes down how it went. */
async function watched(session: KunRun, { settings }: PreparedSettings, directory: string): Promise<Outcome> {
  const state = new RunState(session, totalOf(settings.shards))
  const progress = new Progress(() => state.read())
  shown = progress
  const recorder = new TimingsRecorder(() => session.progress())
  // One after the other: two at once would take each other's temporary file.
  let written = Promise.resolve()
  const write = (timings: CallTimings): void => {
    written = written
      .then(() => appendTimings(directory, timings))
      .catch((error: Error) => say(`timings.json is not written: ${error.message}`))
  }
  const writing = setInterval(() => write(recorder.soFar()), timingsEveryMs).unref()
  progress.start()
  const ended = await session.done.then(
    (end) => ({ end }),
    (error: unknown) => ({ error }),
  )
  progress.stop()
  shown = null
  clearInterval(writing)
  const timings = recorder.finish('end' in ended ? ended.end : endedBy(ended.error).reason)
  // Once the lock is lost the directory, timings.json too, is another run's.
  if (!('error' in ended && ended.error instanceof LockLostError)) write(timings)
  await written
  return 'end' in ended ? { end: ended.end, timings } : ended
}

function stopped(error: unknown, session: KunRun, { directory, again }: RunOrder): Ended {
  const failure = failureOf(error)
  if (failure === null) throw error
  say(failure.message)
  if (failure.exitCode === 3) {
    const { cuts } = session.progress()
    say(
      `${counted(cuts, 'cut is', 'cuts are')} committed in ${directory} and every reply received is kept. Go on with: ${again}`,
    )
  }
  return endedBy(error)
}

/** The run is done and stays so, whatever the Hub says. */
async function published(options: PublishOptions, done: Ended): Promise<Ended> {
  try {
    const { url } = await publishRun(options)
    writeOut(`Published: ${url}\n`)
    return done
  } catch (error) {
    say(`The run is done, but not published: ${(error as Error).message}`)
    say(`Try again with: kun-stream publish ${options.directory} --repo ${options.repo}`)
    if (failureOf(error) === null) throw error
    return endedBy(error)
  }
}

/** Exit code of a run whose mirror is incomplete: the machine must not be discarded yet. */
function mirrored(failure: unknown, ended: Ended, { again }: RunOrder): Ended {
  if (failure === null || ended.code !== 0) return ended
  say(`The run is done, but its mirror is behind. Copy the rest with: ${again}`)
  return endedBy(failure)
}

function endedBy(error: unknown): Ended {
  const failure = failureOf(error)
  if (failure !== null) return { code: failure.exitCode, reason: failure.code, message: failure.message }
  return { code: 1, reason: 'KUN_FAILED', message: error instanceof Error ? error.message : String(error) }
}

/** Known only where shards are stored as they are read. */
function totalOf(shards: readonly { readonly path: string; readonly sizeBytes: number | null }[]): number | null {
  let sum = 0
  for (const { path, sizeBytes } of shards) {
    if (sizeBytes === null || !/\.jsonl?$/.test(path)) return null
    sum += sizeBytes
  }
  return sum
}

/** What stands on the terminal now: a line must go above it. */
let shown: Progress | null = null

function say(message: string): void {
  if (shown === null) sayOnStderr(message)
  else shown.say(message)
}

export function collect(value: string, earlier: string[]): string[] {
  return [...earlier, value]
}

/** `kun-stream run RECIPE`: starts a run or goes on with it, shows how it goes, and ends with the funnel and what to do next. */
import { type Command, Option } from 'commander'
import pc from 'picocolors'
import { AbortedError, KunStreamError } from '../errors.js'
import { type Session, startSession } from '../kun/session.js'
import { type Phase, phases } from '../kun/stages.js'
import { loadRecipe, type Recipe } from '../recipe/index.js'
import { funnelLines } from '../report/funnel.js'
import { Progress, type ProgressState } from './progress.js'
import { settingsOf } from './settings.js'

interface RunFlags {
  readonly out?: string
  readonly set: string[]
  readonly fresh?: boolean
  readonly force?: boolean
  readonly through?: Phase
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
    .addOption(
      new Option(
        '--through <stage>',
        'stop every record after this stage; a later run goes on from its replies',
      ).choices(phases),
    )
    .action(async (recipe: string, flags: RunFlags) => {
      process.exitCode = await run(recipe, flags)
    })
}

async function run(path: string, flags: RunFlags): Promise<number> {
  const recipe = await loadRecipe(path, flags.set)
  const directory = flags.out ?? recipe.output.dir
  const startedMs = performance.now()
  const prepared = await settingsOf(recipe, directory)
  try {
    const session = await startSession(prepared.settings, {
      onEvent: (message) => process.stderr.write(`${message}\n`),
      through: flags.through,
      ...(flags.fresh && { fresh: flags.force ? 'discard' : 'refuse' }),
    })
    const totalBytes = totalOf(prepared.settings.shards)
    const progress = new Progress(() => stateOf(session, totalBytes))
    const release = stopOnSignals(session, recipe)
    progress.start()
    try {
      const end = await session.done
      progress.stop()
      if (flags.through !== undefined) {
        process.stdout.write(
          `${recipe.name}: through ${flags.through}, replies are in ${directory}/replies\nNext: kun-stream run ${path}\n`,
        )
        return 0
      }
      conclude(session, {
        recipe,
        directory,
        end,
        builtin: prepared.builtin,
        seconds: (performance.now() - startedMs) / 1000,
      })
      return 0
    } catch (error) {
      progress.stop()
      return stopped(error, session, directory, path)
    } finally {
      release()
    }
  } finally {
    await prepared.close()
  }
}

/** The first Ctrl-C lets the requests in flight reach the replies, the second stops at once. */
function stopOnSignals(session: Session, recipe: Recipe): () => void {
  let asked = 0
  const longestSeconds = Math.max(...Object.values(recipe.models).map(({ deadlineMs }) => deadlineMs)) / 1000
  const onSignal = (signal: NodeJS.Signals): void => {
    asked++
    if (asked > 1) {
      session.abort(new AbortedError('stopped at once'))
      return
    }
    process.stderr.write(
      `${signal}: waiting for the requests in flight, at most ${longestSeconds} s; once more stops at once\n`,
    )
    session.stop(new AbortedError('stopped')).catch((error: unknown) => {
      process.stderr.write(`${(error as Error).message}\n`)
    })
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  return () => {
    process.off('SIGINT', onSignal)
    process.off('SIGTERM', onSignal)
  }
}

function stopped(error: unknown, session: Session, directory: string, recipe: string): number {
  if (!(error instanceof KunStreamError)) throw error
  process.stderr.write(`${error.message}\n`)
  if (error.exitCode === 3) {
    const { cuts } = session.progress()
    process.stderr.write(
      `${cuts} cuts are committed in ${directory} and every reply received is kept. Go on with: kun-stream run ${recipe}\n`,
    )
  }
  return error.exitCode
}

interface Conclusion {
  readonly recipe: Recipe
  readonly directory: string
  readonly end: 'input' | 'limit'
  readonly builtin: boolean
  readonly seconds: number
}

function conclude(session: Session, { recipe, directory, end, builtin, seconds }: Conclusion): void {
  const { counters, cuts } = session.progress()
  const lines = [
    '',
    `${pc.bold(recipe.name)}: ${end === 'limit' ? 'limits.rowsMax is reached' : 'done'} in ${seconds.toFixed(1)} s, ${cuts} cuts`,
    '',
    ...funnelLines(counters, Math.min(120, process.stdout.columns ?? 80)),
    '',
    `  ${directory}/data/       rows, Parquet by split`,
    `  ${directory}/rejects/    what was dropped, and why`,
    `  ${directory}/stats.json  the account, exact`,
    '',
    ...(builtin ? ['Written by the built-in extractive writer: key phrases and templates, not a model.'] : []),
    `Next: kun-stream inspect ${directory} -n 3`,
    ...(builtin ? ['      your own servers: recipes/vllm-two-servers.yaml, docs/recipe.md'] : []),
    '',
  ]
  process.stdout.write(lines.join('\n'))
}

function stateOf(session: Session, totalBytes: number | null): ProgressState {
  const { metrics, servers, readBytes, cuts } = session.progress()
  const shown = metrics.nodes.filter(({ name }) => name !== 'order' && !name.startsWith('credit'))
  return {
    stages: shown.map((node) => ({
      name: node.name,
      in: node.in,
      out: node.out,
      inFlight: node.inFlight,
      waitingOn: '',
    })),
    readBytes,
    totalBytes,
    tokens: servers.tokens,
    cuts,
    note: servers.waiting > 0 ? `${servers.waiting} calls wait for a slot` : '',
  }
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

function collect(value: string, earlier: string[]): string[] {
  return [...earlier, value]
}

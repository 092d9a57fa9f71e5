/** Loads commands one at a time: a command does not wait for the modules of the others. */

import type { Command } from 'commander'
import { keysOf } from '../core/objects.js'
import { type CommandName, commandSummaries } from './command-summaries.js'

type Register = (program: Command) => void

const loaders: Readonly<Record<Exclude<CommandName, 'complete'>, () => Promise<Register>>> = {
  init: async () => (await import('./commands/init.js')).registerInit,
  run: async () => (await import('./commands/run.js')).registerRun,
  prepare: async () => (await import('./commands/prepare.js')).registerPrepare,
  'dedup-part': async () => (await import('./commands/dedup-part.js')).registerDedupPart,
  generate: async () => (await import('./commands/generate.js')).registerGenerate,
  assemble: async () => (await import('./commands/assemble.js')).registerAssemble,
  plan: async () => (await import('./commands/plan.js')).registerPlan,
  preview: async () => (await import('./commands/preview.js')).registerPreview,
  compare: async () => (await import('./commands/compare.js')).registerCompare,
  validate: async () => (await import('./commands/validate.js')).registerValidate,
  schema: async () => (await import('./commands/schema.js')).registerSchema,
  status: async () => (await import('./commands/status.js')).registerStatus,
  rebuild: async () => (await import('./commands/rebuild.js')).registerRebuild,
  inspect: async () => (await import('./commands/inspect.js')).registerInspect,
  report: async () => (await import('./commands/report.js')).registerReport,
  tail: async () => (await import('./commands/tail.js')).registerTail,
  ui: async () => (await import('./commands/ui.js')).registerUi,
  review: async () => (await import('./commands/review.js')).registerReview,
  explain: async () => (await import('./commands/explain.js')).registerExplain,
  verify: async () => (await import('./commands/verify.js')).registerVerify,
  dedup: async () => (await import('./commands/dedup.js')).registerDedup,
  pipe: async () => (await import('./commands/pipe.js')).registerPipe,
  enqueue: async () => (await import('./commands/enqueue.js')).registerEnqueue,
  worker: async () => (await import('./commands/worker.js')).registerWorker,
  units: async () => (await import('./commands/units.js')).registerUnits,
  seed: async () => (await import('./commands/seed.js')).registerSeed,
  sample: async () => (await import('./commands/sample.js')).registerSample,
  submit: async () => (await import('./commands/submit.js')).registerSubmit,
  'train-screen': async () => (await import('./commands/train-screen.js')).registerTrainScreen,
  'paper-prompts': async () => (await import('./commands/paper-prompts.js')).registerPaperPrompts,
  publish: async () => (await import('./commands/publish.js')).registerPublish,
  hub: async () => (await import('./commands/hub.js')).registerHub,
  simulate: async () => (await import('./commands/simulate.js')).registerSimulate,
  'dev-hub': async () => (await import('./commands/dev-hub.js')).registerDevHub,
  bench: async () => (await import('./commands/bench.js')).registerBench,
}

const names = keysOf(loaders)

/** Registers every command; for the tests of the documentation and of the catalogue. */
export async function registerCommands(program: Command): Promise<void> {
  for (const name of names) (await loaders[name]())(program)
  addSummary(program, 'complete')
}

/** Adds `complete`, which needs every command. The script that it prints calls it again for suggestions. */
async function registerCompletion(program: Command): Promise<void> {
  for (const name of names) (await loaders[name]())(program)
  const { default: addCompletion } = await import('@bomb.sh/tab/commander')
  addCompletion(program)
}

/**
 * Registers the command that the arguments name; all others by their summary, which is enough for the list of the help and
 * for a suggestion after a wrong name.
 *
 * @param argv the arguments after the program's name
 */
export async function registerNamedCommand(program: Command, argv: readonly string[]): Promise<void> {
  if (argv[0] === 'complete') return registerCompletion(program)
  const named = commandNamed(argv)
  for (const name of names) {
    if (name === named) (await loaders[name]())(program)
    else addSummary(program, name)
  }
  addSummary(program, 'complete')
}

function addSummary(program: Command, name: CommandName): void {
  const { arguments: usage, description } = commandSummaries[name]
  const command = program.command(name).description(description).usage(`[options] ${usage}`.trim())
  for (const argument of usage.split(' '))
    if (/^[<[]/.test(argument) && argument !== '[command]') command.argument(argument)
}

/** Returns the first argument that is a command's name; `help run` names run. */
function commandNamed(argv: readonly string[]): keyof typeof loaders | null {
  return names.find((name) => name === argv.find((argument) => argument in loaders)) ?? null
}

/**
 * The command line: one file a command, registered here. Results go to stdout, all else to stderr.
 * Exit codes: 0 done · 1 failed · 2 wrong use or recipe · 3 stopped and resumable.
 */
import { setImmediate } from 'node:timers/promises'
import { Command, CommanderError } from 'commander'
import { version } from '../core/version.js'
import { registerBench } from './commands/bench.js'
import { registerDedup } from './commands/dedup.js'
import { registerDevHub } from './commands/dev-hub.js'
import { registerHub } from './commands/hub.js'
import { registerInspect } from './commands/inspect.js'
import { registerPipe } from './commands/pipe.js'
import { registerPlan } from './commands/plan.js'
import { registerPublish } from './commands/publish.js'
import { registerRebuild } from './commands/rebuild.js'
import { registerRun } from './commands/run.js'
import { registerSimulate } from './commands/simulate.js'
import { registerStatus } from './commands/status.js'
import { registerVerify } from './commands/verify.js'
import { failureOf } from './failure.js'
import { boundHeapGrowth } from './heap-growth.js'
import { notWritten, writeErr, writeOut } from './terminal/output.js'
import { stopWasAsked } from './terminal/stop-signals.js'
import { plainText } from './terminal/terminal-text.js'

const description = 'Raw Chinese text in, an instruction dataset in Parquet out: the Kun method as a stream.'

const epilogue = `
Exit codes: 0 done, 1 failed, 2 wrong use or recipe, 3 stopped and resumable (run again to go on).
First steps, in a clone: npm start   (needs no GPU: a small stand-in server is built in)`

/** In the order that help lists them. */
const commands = [
  registerRun,
  registerPlan,
  registerStatus,
  registerRebuild,
  registerInspect,
  registerVerify,
  registerDedup,
  registerPipe,
  registerPublish,
  registerHub,
  registerSimulate,
  registerDevHub,
  registerBench,
]

/** Runs one command. @returns the exit code; never throws */
export async function main(argv: readonly string[]): Promise<number> {
  boundHeapGrowth()
  const program = new Command('kun-stream')
    .description(description)
    .version(version)
    .addHelpText('after', epilogue)
    .showHelpAfterError('(kun-stream --help lists the commands)')
    .configureOutput({ writeOut, writeErr: (text) => writeErr(plainText(text)) })
    .exitOverride()
  registerCommands(program)
  outliveOutput()
  process.on('unhandledRejection', endAtOnce)
  process.on('uncaughtException', endAtOnce)
  try {
    const code = await codeOf(program, argv)
    // Stopped by a signal, it does not wait for a request that is still pending.
    if (stopWasAsked()) process.exit(code)
    return code
  } finally {
    process.off('unhandledRejection', endAtOnce)
    process.off('uncaughtException', endAtOnce)
  }
}

async function codeOf(program: Command, argv: readonly string[]): Promise<number> {
  try {
    await program.parseAsync([...argv])
    // The error of a write comes a moment after it.
    await setImmediate()
    return Number(process.exitCode ?? 0)
  } catch (error) {
    return report(error)
  }
}

/** Every command, for those who read what there is: help, and the test of the pages. */
export function registerCommands(program: Command): void {
  for (const register of commands) register(program)
}

/**
 * A run goes on though nobody listens any more (`| head`, a terminal that was closed), and what cannot be written is told.
 * For the rest of the process: the error of a write may come when the command is through.
 */
function outliveOutput(): void {
  process.stderr.on('error', ignored)
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // A command that writes through Output tells of it itself.
    if (error.code === 'EPIPE' || process.stdout.listenerCount('error') > 1) return
    process.exitCode = report(notWritten('standard output', error))
  })
}

/** There is nowhere left to tell of it. */
const ignored = (): void => undefined

/** A failure that nobody waited for: nothing may be written after it, so that it is as if the process had been killed. */
function endAtOnce(error: unknown): never {
  const code = report(error)
  writeErr('A run that was under way can be gone on with: what it committed stays. Run it again.\n')
  process.exit(code === 0 ? 1 : code)
}

function report(error: unknown): number {
  // Help and version were asked for: commander throws them too, with exit code 0.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  const failure = failureOf(error)
  if (failure !== null) {
    writeErr(`${plainText(failure.message)}\n`)
    return failure.exitCode
  }
  const shown = error instanceof Error ? (error.stack ?? error.message) : String(error)
  writeErr(`This should not have happened; it is a bug of kun-stream.\n${plainText(shown)}\n`)
  return 1
}

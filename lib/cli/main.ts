/**
 * The command line: one file per command, registered here. Results go to stdout, everything else to stderr.
 * Exit codes: 0 done · 1 failed · 2 wrong use or recipe · 3 stopped and resumable.
 */
import { setImmediate } from 'node:timers/promises'
import { type Command, CommanderError, Option } from 'commander'
import { version } from '../core/version.js'
import { ContractError } from '../errors.js'
import { languages } from '../language/language.js'
import { say } from '../language/say.js'
import { registerNamedCommand } from './command-loaders.js'
import { refuseEmptyArguments } from './empty-arguments.js'
import { failureOf } from './failure.js'
import { boundHeapGrowth } from './heap-growth.js'
import { TranslatedCommand } from './parse-errors.js'
import { notWritten, writeErr, writeOut } from './terminal/output.js'
import { stopSignalReceived } from './terminal/stop-signals.js'
import { plainText } from './terminal/terminal-text.js'
import { translateHelp } from './translated-help.js'

const epilogue = say`\nExit codes: 0 done, 1 failed, 2 wrong use or recipe, 3 stopped and resumable (run again to resume).\nFirst steps: kun-stream init --demo && kun-stream run demo.yaml   (no GPU needed)`

/** Runs one command. Never throws. @returns the exit code */
export async function main(argv: readonly string[]): Promise<number> {
  boundHeapGrowth()
  const program = new TranslatedCommand('kun-stream')
    .description(say`Raw Chinese text in, an instruction dataset in Parquet out: the Kun method as a stream.`)
    .version(version)
    // Read in bin/kun-stream.ts, before this module is loaded; declared here for the help and for its check.
    .addOption(
      new Option('--lang <code>', say`language of messages: en or zh; by default that of the locale`).choices(
        languages,
      ),
    )
    .addHelpText('after', epilogue)
    .showHelpAfterError(say`(kun-stream --help lists the commands)`)
    .configureOutput({
      writeOut,
      writeErr: (text) => writeErr(plainText(text)),
    })
    .exitOverride()
  program.hook('preAction', (_, command) => refuseEmptyArguments(command))
  await registerNamedCommand(program, argv.slice(2))
  translateHelp(program)
  ignoreClosedOutput()
  process.on('unhandledRejection', exitOnUncaught)
  process.on('uncaughtException', exitOnUncaught)
  process.on('beforeExit', exitUnfinished)
  try {
    const code = await codeOf(program, argv)
    // After a stop signal, a request that is still pending is not awaited.
    if (stopSignalReceived()) process.exit(code)
    return code
  } finally {
    process.off('unhandledRejection', exitOnUncaught)
    process.off('uncaughtException', exitOnUncaught)
    process.off('beforeExit', exitUnfinished)
  }
}

async function codeOf(program: Command, argv: readonly string[]): Promise<number> {
  try {
    await program.parseAsync([...argv])
    // A write to stdout fails a moment later.
    await setImmediate()
    return Number(process.exitCode ?? 0)
  } catch (error) {
    return report(error)
  }
}

/**
 * Ignores EPIPE, so that a run continues after its reader is gone (`| head`, a closed terminal), and reports other write
 * errors. For the rest of the process: a write may fail after the command.
 */
function ignoreClosedOutput(): void {
  process.stderr.on('error', ignored)
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // A command that writes through Output reports it itself.
    if (error.code === 'EPIPE' || process.stdout.listenerCount('error') > 1) return
    process.exitCode = report(notWritten('standard output', error))
  })
}

/** An error of stderr cannot be reported anywhere. */
const ignored = (): void => undefined

/** Exits immediately after an error that nothing caught, as if the process had been killed: nothing is written after it. */
function exitOnUncaught(error: unknown): never {
  const code = report(error)
  writeErr(say`A run that was in progress can be resumed: its commits are kept. Run it again.\n`)
  process.exit(code === 0 ? 1 : code)
}

/** Exits when the event loop is empty while the command is pending: Node alone would exit with code 13 and a warning. */
function exitUnfinished(): never {
  const stalled = say`the command stopped before it was done: it waits for something that cannot happen any more (KUN_CONTRACT). This is a bug in kun-stream; please report it`
  return exitOnUncaught(new ContractError(stalled))
}

function report(error: unknown): number {
  // commander throws for --help and --version, too, with exit code 0.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  const failure = failureOf(error)
  if (failure !== null) {
    writeErr(`${plainText(failure.message)}\n`)
    return failure.exitCode
  }
  const shown = error instanceof Error ? (error.stack ?? error.message) : String(error)
  writeErr(say`Internal error: this is a bug in kun-stream.\n${plainText(shown)}\n`)
  return 1
}

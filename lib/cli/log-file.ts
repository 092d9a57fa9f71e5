/** `--log FILE`: the structured log of a command as JSON lines. Each line is written before the command continues. */
import { openSync, writeSync } from 'node:fs'
import { type Command, Option } from 'commander'
import { errorMessage } from '../caught-error.js'
import { type EventLog, noLog } from '../core/event-log.js'
import { processSecrets } from '../core/redaction.js'
import { version } from '../core/version.js'
import { UsageError } from '../errors.js'
import { say } from '../language/say.js'
import { failureOf } from './failure.js'
import { cannotOpen, sayOnStderr } from './terminal/output.js'

const levels = ['debug', 'info', 'warn', 'error'] as const

export interface LogFlags {
  readonly log?: string
  readonly logLevel?: (typeof levels)[number]
}

export function addLogOptions(command: Command): Command {
  return command
    .option('--log <file>', 'append a JSON line for each decision of the command: docs/operations.md')
    .addOption(new Option('--log-level <level>', 'lowest level of --log; info by default').choices(levels))
}

/**
 * Runs a command with its log, which records its start, its failure and its exit code. Without --log, entries are
 * discarded.
 *
 * @throws {UsageError} the file cannot be opened, or --log-level was given without --log
 */
export async function withLog(
  name: string,
  { log: path, logLevel }: LogFlags,
  work: (log: EventLog) => Promise<void>,
): Promise<void> {
  if (path === undefined) {
    if (logLevel !== undefined) throw new UsageError(say`--log-level requires --log <file>`)
    return work(noLog)
  }
  const log = await openLog(path, logLevel ?? 'info')
  log.info('command-started', { command: name, version, pid: process.pid })
  // The exit code is final only here: a write to standard output may fail after the command.
  process.once('exit', (exitCode) => log.info('command-ended', { command: name, exitCode }))
  try {
    await work(log)
  } catch (error) {
    const { code, message } = failureOf(error) ?? { code: null, message: String(error) }
    log.error('command-failed', { command: name, code, message })
    throw error
  }
}

/** Returns a function that shows a message and logs it as a note. */
export function warned(log: EventLog): (message: string) => void {
  return (message) => {
    log.warn('note', { message })
    sayOnStderr(message)
  }
}

async function openLog(path: string, level: string): Promise<EventLog> {
  const { pino } = await import('pino')
  const logger = pino(
    {
      level,
      base: null,
      messageKey: 'event',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    new LinesFile(path),
  )
  return {
    debug: (event, fields = {}) => logger.debug(fields, event),
    info: (event, fields = {}) => logger.info(fields, event),
    warn: (event, fields = {}) => logger.warn(fields, event),
    error: (event, fields = {}) => logger.error(fields, event),
  }
}

/** Appends lines with one system call each, so that none is lost at exit. */
class LinesFile {
  readonly #path: string
  readonly #file: number
  #failed = false

  constructor(path: string) {
    this.#path = path
    try {
      this.#file = openSync(path, 'a')
    } catch (cause) {
      throw cannotOpen(path, cause)
    }
  }

  /** Called by pino with one line. A log that cannot be written does not stop the command. */
  write(line: string): void {
    if (this.#failed) return
    try {
      writeSync(this.#file, processSecrets.text(line))
    } catch (error) {
      this.#failed = true
      sayOnStderr(`${this.#path} cannot be written, the log ends here: ${errorMessage(error)}`)
    }
  }
}

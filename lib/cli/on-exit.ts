/** `onExit` of a recipe: a command of the user's own that is told how a run ended, for a message or to free a machine. */
import { type ChildProcess, spawn } from 'node:child_process'
import { plainText } from './terminal/terminal-text.js'

/** Time that the command has; then it is ended, and killed if it does not end. */
const onExitMsMax = 60_000
const killAfterMs = 5_000
/** Linux limits an environment variable to 128 KiB, without NUL. */
const messageCharactersMax = 8_000

export interface ExitFacts {
  readonly code: number
  /** A stable word: 'done', 'limits.rowsMax', or an error's code such as KUN_OUTAGE. */
  readonly reason: string
  /** For people. */
  readonly message: string
  readonly directory: string
}

/**
 * Runs the command in a shell, code and reason as its arguments and as KUN_EXIT_CODE and KUN_EXIT_REASON, besides
 * KUN_EXIT_MESSAGE and KUN_RUN_DIR. What it writes goes to stderr.
 *
 * @returns what went wrong with it, for people; null when nothing did. Never throws: the run's own end is what counts.
 */
export async function runOnExit(
  command: string,
  { code, reason, message, directory }: ExitFacts,
  waitMsMax = onExitMsMax,
): Promise<string | null> {
  const environment = {
    ...process.env,
    KUN_EXIT_CODE: String(code),
    KUN_EXIT_REASON: reason,
    KUN_EXIT_MESSAGE: plainWords(plainText(message)),
    KUN_RUN_DIR: directory,
  }
  let child: ChildProcess
  try {
    // "$@" hands the arguments on as they are: a reason is never read by the shell.
    child = spawn('/bin/sh', ['-c', `${command} "$@"`, 'onExit', String(code), plainWords(reason)], {
      env: environment,
      stdio: ['ignore', 2, 2],
      detached: true,
    })
  } catch (error) {
    return notStarted(error as Error)
  }
  return endOf(child, waitMsMax)
}

/** Waits for the command, ends it when it takes too long, and stops waiting when it cannot be killed. */
function endOf(child: ChildProcess, waitMsMax: number): Promise<string | null> {
  return new Promise((resolve) => {
    let late = false
    let refused = ''
    const signal = (name: NodeJS.Signals): void => {
      late = true
      try {
        // Its whole group: the shell may have started others.
        if (child.pid !== undefined) process.kill(-child.pid, name)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') refused = `, ${name}: ${(error as Error).message}`
      }
    }
    const tooLong = `onExit took longer than ${waitMsMax / 1000} s`
    const end = (problem: string | null): void => {
      for (const timer of timers) clearTimeout(timer)
      resolve(problem)
    }
    const timers = [
      setTimeout(() => signal('SIGTERM'), waitMsMax),
      setTimeout(() => signal('SIGKILL'), waitMsMax + killAfterMs),
      setTimeout(
        () => {
          child.unref()
          end(`${tooLong} and could not be ended${refused}: process ${child.pid} still runs`)
        },
        waitMsMax + 2 * killAfterMs,
      ),
    ]
    child.once('error', (error) => end(notStarted(error)))
    child.once('exit', (status, killed) => {
      if (late) end(`${tooLong} and was ended`)
      else end(status === 0 ? null : `onExit ended with ${status === null ? killed : `exit code ${status}`}`)
    })
  })
}

function notStarted(error: Error): string {
  return `onExit could not be started: ${error.message}`
}

/** Server text may contain anything: replaces control characters by spaces and cuts what is too long. */
function plainWords(words: string): string {
  const plain = words.replaceAll(/(?![\t\n])\p{Cc}/gu, ' ')
  return plain.length <= messageCharactersMax ? plain : `${plain.slice(0, messageCharactersMax)}…`
}

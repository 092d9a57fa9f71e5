/** `onExit` of a recipe: a command of the user's own that is told how a run ended, for a message or to free a machine. */
import { spawn } from 'node:child_process'

/** Time that the command has; then it is ended, and killed if it does not end. */
const onExitMsMax = 60_000
const killAfterMs = 5_000

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
    KUN_EXIT_MESSAGE: message,
    KUN_RUN_DIR: directory,
  }
  return new Promise((resolve) => {
    // "$@" hands the arguments on as they are: a reason is never read by the shell.
    const child = spawn('/bin/sh', ['-c', `${command} "$@"`, 'onExit', String(code), reason], {
      env: environment,
      stdio: ['ignore', 2, 2],
      detached: true,
    })
    let late = false
    const signal = (name: NodeJS.Signals): void => {
      late = true
      try {
        // Its whole group: the shell may have started others.
        if (child.pid !== undefined) process.kill(-child.pid, name)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
      }
    }
    const timers = [
      setTimeout(() => signal('SIGTERM'), waitMsMax),
      setTimeout(() => signal('SIGKILL'), waitMsMax + killAfterMs),
    ]
    const end = (problem: string | null): void => {
      for (const timer of timers) clearTimeout(timer)
      resolve(problem)
    }
    child.once('error', (error) => end(`onExit could not be started: ${error.message}`))
    child.once('exit', (status, killed) => {
      if (late) end(`onExit took longer than ${waitMsMax / 1000} s and was ended`)
      else end(status === 0 ? null : `onExit ended with ${status === null ? killed : `exit code ${status}`}`)
    })
  })
}

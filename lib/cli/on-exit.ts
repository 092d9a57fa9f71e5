/** `onExit` of a recipe: a user's command that receives how a run ended, to send a message or to free a machine. */

import { type ChildProcess, spawn } from 'node:child_process'
import { asError, errorCode, errorMessage } from '../caught-error.js'
import type { RunEnd } from './run-end.js'
import { plainText } from './terminal/terminal-text.js'

/** Time limit of the command; then it gets SIGTERM, and SIGKILL after `killAfterMs`. */
const onExitMsMax = 60_000
const killAfterMs = 5_000
/** Linux limits an environment variable to 128 KiB, without NUL. */
const messageCharactersMax = 8_000

interface ExitFacts extends RunEnd {
  readonly directory: string
}

/**
 * Runs the command in a shell. It receives code and reason as arguments and as KUN_EXIT_CODE and KUN_EXIT_REASON, and
 * KUN_EXIT_MESSAGE and KUN_RUN_DIR. Its output goes to stderr. Never throws: a failure does not change the exit code.
 *
 * @returns a message if the command failed; null otherwise
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
    KUN_EXIT_MESSAGE: shortPlainText(plainText(message)),
    KUN_RUN_DIR: directory,
  }
  let child: ChildProcess
  try {
    // "$@" passes the arguments unchanged: the shell does not interpret a reason.
    child = spawn('/bin/sh', ['-c', `${command} "$@"`, 'onExit', String(code), shortPlainText(reason)], {
      env: environment,
      stdio: ['ignore', 2, 2],
      detached: true,
    })
  } catch (error) {
    return notStarted(asError(error))
  }
  return endOf(child, waitMsMax)
}

/** Waits for the command, ends it after its time limit, and stops waiting if it cannot be killed. */
function endOf(child: ChildProcess, waitMsMax: number): Promise<string | null> {
  return new Promise((resolve) => {
    let late = false
    let refused = ''
    const signal = (name: NodeJS.Signals): void => {
      late = true
      try {
        // The process group: the shell may have started other processes.
        if (child.pid !== undefined) process.kill(-child.pid, name)
      } catch (error) {
        if (errorCode(error) !== 'ESRCH') refused = `, ${name}: ${errorMessage(error)}`
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

/** Replaces control characters by spaces and truncates: text of a server may contain anything. */
function shortPlainText(words: string): string {
  const plain = words.replaceAll(/(?![\t\n])\p{Cc}/gu, ' ')
  return plain.length <= messageCharactersMax ? plain : `${plain.slice(0, messageCharactersMax)}…`
}

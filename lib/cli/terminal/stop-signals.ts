/**
 * The signals that ask a command to stop: Ctrl-C, `kill`, and a terminal that was closed. All three mean the same.
 * Node gives SIGHUP back its default even under nohup: without a listener, a closed terminal kills the process.
 */
import { constants } from 'node:os'

const stopSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
export type StopSignal = (typeof stopSignals)[number]

let anyReceived = false
/** Removes the listeners of `endAtStopSignal`. */
let releaseEarly: () => void = () => undefined

/** Exit codes of the commands that end by themselves at a signal; the others end by the signal. */
const exitCodes: Readonly<Record<string, number>> = { run: 3, rebuild: 3, publish: 3, simulate: 0, 'dev-hub': 0 }

/** Until a command has its own listener: a signal ends it immediately with the exit code for signals. */
export function endAtStopSignal(command = ''): void {
  if (!Object.hasOwn(exitCodes, command)) return
  const end = (signal: NodeJS.Signals): never => {
    process.stderr.write(`stopped by ${signal} before ${command} began\n`)
    process.exit(exitCodes[command])
  }
  for (const signal of stopSignals) process.on(signal, end)
  releaseEarly = () => {
    for (const signal of stopSignals) process.off(signal, end)
    releaseEarly = () => undefined
  }
}

/** Whether this process received a stop signal: it then exits when its command ends, even with work pending. */
export function stopWasAsked(): boolean {
  return anyReceived
}

/**
 * Calls `listener` at each of these signals, with its number from 1.
 *
 * @returns removes the listener
 */
export function onStopSignal(listener: (signal: StopSignal, nth: number) => void): () => void {
  let nth = 0
  const heard = (signal: NodeJS.Signals): void => {
    anyReceived = true
    nth++
    listener(signal as StopSignal, nth)
  }
  for (const signal of stopSignals) process.on(signal, heard)
  releaseEarly()
  return () => {
    for (const signal of stopSignals) process.off(signal, heard)
  }
}

/** Resolves at the first stop signal, for a command that serves until then. The next one ends the process at once. */
export function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    const release = onStopSignal(() => {
      release()
      resolve()
    })
  })
}

/** At a stop signal: runs `clean`, which must not wait, and ends the process by that signal. @returns removes it */
export function cleanAndDie(clean: () => void): () => void {
  return onStopSignal((signal) => {
    clean()
    dieBy(signal)
  })
}

/** Ends the process as the signal would without a listener: a shell reports 128 + its number. */
export function dieBy(signal: StopSignal): never {
  for (const each of stopSignals) process.removeAllListeners(each)
  process.kill(process.pid, signal)
  // The first process of a container is not killed by a default action.
  process.exit(128 + constants.signals[signal])
}

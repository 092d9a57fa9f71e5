/**
 * Stop signals of a command: Ctrl-C, `kill`, and a closed terminal, which are handled in the same way. Node restores
 * the default action of SIGHUP even under nohup: without a listener, closing the terminal kills the process.
 */
import { constants } from 'node:os'

const stopSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
export type StopSignal = (typeof stopSignals)[number]

let anyReceived = false
/** Removes the listeners of `endAtStopSignal`. */
let releaseEarly: () => void = () => undefined

/** Exit codes of the commands that handle a stop signal; the others are ended by it. */
const exitCodes: Readonly<Record<string, number>> = {
  run: 3,
  prepare: 3,
  generate: 3,
  enqueue: 3,
  worker: 3,
  assemble: 3,
  rebuild: 3,
  publish: 3,
  simulate: 0,
  'dev-hub': 0,
  ui: 0,
}

/** Exits at a stop signal with the exit code of the command, until the command adds its own listener. */
export function endAtStopSignal(command = ''): void {
  if (!Object.hasOwn(exitCodes, command)) return
  const end = (signal: NodeJS.Signals): never => {
    process.stderr.write(`stopped by ${signal} before ${command} started\n`)
    process.exit(exitCodes[command])
  }
  for (const signal of stopSignals) process.on(signal, end)
  releaseEarly = () => {
    for (const signal of stopSignals) process.off(signal, end)
    releaseEarly = () => undefined
  }
}

/** Whether this process received a stop signal: it then exits when its command ends, even with requests pending. */
export function stopSignalReceived(): boolean {
  return anyReceived
}

/**
 * Calls `listener` at each stop signal, with its number from 1.
 *
 * @returns removes the listener
 */
export function onStopSignal(listener: (signal: StopSignal, nth: number) => void): () => void {
  let nth = 0
  const onSignal = (signal: NodeJS.Signals): void => {
    anyReceived = true
    nth++
    listener(signal as StopSignal, nth)
  }
  for (const signal of stopSignals) process.on(signal, onSignal)
  releaseEarly()
  return () => {
    for (const signal of stopSignals) process.off(signal, onSignal)
  }
}

/** Resolves at the first stop signal, for a command that serves until then. The next one kills the process. */
export function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    const release = onStopSignal(() => {
      release()
      resolve()
    })
  })
}

/** At a stop signal: calls `cleanUp`, which must be synchronous, then ends the process by that signal. @returns removes the listener */
export function cleanUpAtStopSignal(cleanUp: () => void): () => void {
  return onStopSignal((signal) => {
    cleanUp()
    endBySignal(signal)
  })
}

/** Ends the process as the signal would without a listener: a shell reports 128 + its number. */
export function endBySignal(signal: StopSignal): never {
  for (const each of stopSignals) process.removeAllListeners(each)
  process.kill(process.pid, signal)
  // The default action does not end the first process of a container.
  process.exit(128 + constants.signals[signal])
}

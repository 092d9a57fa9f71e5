/** A model server that a worker starts on its own node, waits for, and ends. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { errorCode } from '../caught-error.js'
import { systemClock } from '../core/clock.js'
import type { Clock } from '../core/types.js'
import { SystemError } from '../errors.js'
import { say } from '../language/say.js'
import { portOf } from '../listen.js'

/** Time that a server may take until it is healthy, ms: it may download and compile. */
const healthyMaxMs = 1_800_000
/** Wait between two looks at its health, and time for one, ms. */
const lookEveryMs = 1000
const lookMaxMs = 5000
/** Time for its end after SIGTERM; then SIGKILL, ms. */
const endMaxMs = 30_000

/** A running server. */
interface OwnServer {
  readonly url: string
  /** Aborted with the error when it ends by itself. */
  readonly ended: AbortSignal
  /** Ends the server and the processes that it started. */
  close(): Promise<void>
}

/** Options for `startOwnServer`; all optional. */
interface OwnServerOptions {
  /** Ends the wait. */
  readonly signal?: AbortSignal
  readonly maxMs?: number
  readonly clock?: Clock
}

/**
 * Starts a server with a shell command and waits until GET /health gives 200. `{port}` in the command is a free port;
 * without it the port is 8000, vLLM's default. Its output goes to stderr.
 *
 * @throws {SystemError} it ends before, or is not healthy within half an hour
 */
export async function startOwnServer(command: string, options: OwnServerOptions = {}): Promise<OwnServer> {
  const { signal, maxMs = healthyMaxMs, clock = systemClock } = options
  const port = command.includes('{port}') ? await freePort() : defaultPort
  // A group of its own: vLLM starts processes that must end with it.
  const child = spawn('/bin/sh', ['-c', `exec ${command.replaceAll('{port}', String(port))}`], {
    stdio: ['ignore', 2, 2],
    detached: true,
  })
  const ended = new AbortController()
  const end = (message: string) => ended.abort(new SystemError(message))
  child.once('error', ({ message }) => end(say`the server of --serve cannot be started: ${message}`))
  child.once('exit', (code, name) => end(say`the server of --serve ended with ${name ?? code ?? ''}: ${command}`))
  const server = { url: `http://127.0.0.1:${port}/v1`, ended: ended.signal, close: () => endGroup(child, clock) }
  try {
    const fromMs = clock.now()
    while (!(await isHealthy(port))) {
      signal?.throwIfAborted()
      ended.signal.throwIfAborted()
      if (clock.now() - fromMs > maxMs) {
        throw new SystemError(say`the server of --serve is not healthy after ${maxMs / 60_000} min: ${command}`)
      }
      await clock.sleep(lookEveryMs, signal)
    }
    ended.signal.throwIfAborted()
    return server
  } catch (error) {
    await server.close()
    throw error
  }
}

const defaultPort = 8000

async function isHealthy(port: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/health`, { signal: AbortSignal.timeout(lookMaxMs) })
    await response.body?.cancel()
    return response.ok
  } catch {
    // Not listening yet, or too busy to answer: the caller looks again.
    return false
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const port = portOf(server)
  server.close()
  await once(server, 'close')
  return port
}

/** Ends the process group that the child leads. */
async function endGroup(child: ChildProcess, clock: Clock): Promise<void> {
  const { pid } = child
  if (pid === undefined) return
  const isOver = child.exitCode !== null || child.signalCode !== null
  const exit = isOver ? Promise.resolve() : once(child, 'exit').then(() => undefined)
  if (!isOver) killGroup(pid, 'SIGTERM')
  const waited = new AbortController()
  await Promise.race([exit, clock.sleep(endMaxMs, waited.signal).catch(() => undefined)]) // aborted below
  waited.abort()
  // Also what the server left behind.
  killGroup(pid, 'SIGKILL')
  await exit
}

function killGroup(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(-pid, name)
  } catch (error) {
    if (errorCode(error) !== 'ESRCH') throw error
  }
}

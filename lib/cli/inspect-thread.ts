/**
 * Runs `inspected` in a worker thread: a damaged file can make a Parquet decoder loop forever, and only a thread can be
 * terminated. This file contains both sides of the protocol: the thread replies to each 'next' with a text.
 */
import { isMainThread, type MessagePort, parentPort, Worker, workerData } from 'node:worker_threads'
import { CorruptFileError } from '../errors.js'
import { say } from '../language/say.js'
import { fromWire, toWire, type WireError } from '../workers/wire.js'
import { pc } from './terminal/colors.js'
import { type InspectOptions, inspectText } from './terminal/inspect-text.js'

/** Timeout of one text, which decodes at most one row group. */
const decodeMsMax = 120_000

interface InspectTask {
  readonly inspect: { readonly path: string; readonly options: InspectOptions; readonly columns: number }
}

type InspectReply = { readonly text: string } | { readonly error: WireError } | { readonly end: true }

/**
 * Yields the output of `inspect` in parts.
 *
 * @throws {CorruptFileError} nothing was decoded in `waitMsMax`
 */
export async function* inspectInThread(
  path: string,
  options: InspectOptions,
  waitMsMax = decodeMsMax,
): AsyncGenerator<string> {
  const columns = Math.min(process.stdout.columns ?? 80, 120)
  const worker = new Worker(new URL(import.meta.url), {
    workerData: { inspect: { path, options, columns } } satisfies InspectTask,
    execArgv: [],
    // A thread cannot detect the terminal's colors.
    env: { ...process.env, ...(pc.isColorSupported ? { FORCE_COLOR: '1' } : { NO_COLOR: '1' }) },
  })
  try {
    for (;;) {
      const reply = await nextReply(worker, path, waitMsMax)
      if ('end' in reply) return
      if ('error' in reply) throw fromWire(reply.error)
      yield reply.text
    }
  } finally {
    await worker.terminate()
  }
}

function nextReply(worker: Worker, path: string, waitMsMax: number): Promise<InspectReply> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(
        new CorruptFileError(
          say`${path} contains a Parquet file that could not be decoded in ${waitMsMax / 1000} s: it is
            damaged. Find it with kun-stream verify, or name other files`,
        ),
      )
    }, waitMsMax)
    const settle = <Value>(end: (value: Value) => void) => {
      return (value: Value) => {
        clearTimeout(timer)
        worker.removeAllListeners('error')
        end(value)
      }
    }
    worker.once('message', settle(resolve))
    worker.once('error', settle(reject))
    worker.postMessage('next')
  })
}

function isInspectTask(data: unknown): data is InspectTask {
  return typeof data === 'object' && data !== null && 'inspect' in data
}

/** Serves the requests of the main thread. */
function serve(port: MessagePort, { path, options, columns }: InspectTask['inspect']): void {
  const texts = inspectText(path, options, columns)
  port.on('message', () => {
    texts.next().then(
      ({ value, done }) => port.postMessage(done ? { end: true } : { text: value }),
      (error: unknown) => port.postMessage({ error: toWire(error) }),
    )
  })
}

if (!isMainThread && parentPort !== null && isInspectTask(workerData)) serve(parentPort, workerData.inspect)

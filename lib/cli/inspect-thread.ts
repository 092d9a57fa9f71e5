/**
 * `inspected` in a thread of its own: a damaged file can keep a Parquet decoder busy for ever, and only a thread can be
 * ended then. This file is both sides of the conversation: a text for every 'next'.
 */
import { isMainThread, type MessagePort, parentPort, Worker, workerData } from 'node:worker_threads'
import pc from 'picocolors'
import { CorruptFileError } from '../errors.js'
import { fromWire, toWire, type WireError } from '../workers/wire.js'
import { type InspectOptions, inspected } from './terminal/inspect-text.js'

/** Time for one text, which takes a row group to decode at most. */
const decodeMsMax = 120_000

interface Order {
  readonly inspect: { readonly path: string; readonly options: InspectOptions; readonly columns: number }
}

type Answer = { readonly text: string } | { readonly error: WireError } | { readonly end: true }

/**
 * What is printed, in pieces.
 *
 * @throws {CorruptFileError} nothing was decoded in `waitMsMax`
 */
export async function* inspectedApart(
  path: string,
  options: InspectOptions,
  waitMsMax = decodeMsMax,
): AsyncGenerator<string> {
  const columns = Math.min(process.stdout.columns ?? 80, 120)
  const worker = new Worker(new URL(import.meta.url), {
    workerData: { inspect: { path, options, columns } } satisfies Order,
    execArgv: [],
    // A thread has no terminal to ask.
    env: { ...process.env, ...(pc.isColorSupported ? { FORCE_COLOR: '1' } : { NO_COLOR: '1' }) },
  })
  try {
    for (;;) {
      const answer = await answered(worker, path, waitMsMax)
      if ('end' in answer) return
      if ('error' in answer) throw fromWire(answer.error)
      yield answer.text
    }
  } finally {
    await worker.terminate()
  }
}

function answered(worker: Worker, path: string, waitMsMax: number): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(
        new CorruptFileError(
          `${path} holds a Parquet file of which nothing was decoded in ${waitMsMax / 1000} s: it is damaged. ` +
            'Name other files, or look which one it is with: kun-stream verify',
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

function isOrder(data: unknown): data is Order {
  return typeof data === 'object' && data !== null && 'inspect' in data
}

/** The other side. */
function serve(port: MessagePort, { path, options, columns }: Order['inspect']): void {
  const texts = inspected(path, options, columns)
  port.on('message', () => {
    texts.next().then(
      ({ value, done }) => port.postMessage(done ? { end: true } : { text: value }),
      (error: unknown) => port.postMessage({ error: toWire(error) }),
    )
  })
}

if (!isMainThread && parentPort !== null && isOrder(workerData)) serve(parentPort, workerData.inspect)

/**
 * Reads Parquet in a thread: decoding a row group takes seconds, which would block the requests in flight. The main
 * thread reads the bytes that the thread requests, and yields its blocks.
 */
import { Worker } from 'node:worker_threads'
import { ShardFormatError } from '../../errors.js'
import type { Shard } from '../shard.js'
import type { ParquetInput } from './parquet-rows.js'
import type { FormatCursor, FormatOptions, RawBlock } from './raw-block.js'
import { damagedRecord } from './rejected-records.js'

/** Messages of the thread. */
export type ThreadMessage =
  | { readonly kind: 'read'; readonly id: number; readonly offset: number; readonly lengthBytes: number }
  | { readonly kind: 'block'; readonly rawBlock: RawBlock }
  | { readonly kind: 'end' }

/** Messages to the thread. */
export type ThreadRequest =
  | { readonly kind: 'next' }
  | { readonly kind: 'bytes'; readonly id: number; readonly bytes: Uint8Array }

/** MiB of JavaScript heap of the thread, for the strings of a row group. At the limit the thread ends and the shard is rejected. */
const heapMebibytesMax = 2048

/**
 * @throws {ShardFormatError} the shard cannot be read from its end
 */
export async function* parquetBlocks(
  shard: Shard,
  from: Extract<FormatCursor, { group: number }>,
  options: FormatOptions,
  signal: AbortSignal,
): AsyncGenerator<RawBlock> {
  const { sizeBytes, mapping } = shard
  if (sizeBytes === null) throw new ShardFormatError('Parquet is read from its end and cannot come from a stream')
  const input: ParquetInput = { sizeBytes, mapping, from, options: pick(options) }
  const worker = new Worker(new URL('./parquet-thread.js', import.meta.url), {
    workerData: input,
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: heapMebibytesMax },
  })
  const thread = conversation(worker, shard, options.decodeMsMax, signal)
  let row = 0
  try {
    for (;;) {
      const message = await thread.next()
      if (message.kind === 'end') return
      if (message.kind === 'lost') {
        const damage = { reason: 'shard-corrupt' as const, detail: `parquet: ${message.message}` }
        const rejected = [damagedRecord(row, damage, new Uint8Array(0))]
        yield { bytes: new Uint8Array(0), offset: row, offsetUnit: 'row', rejected, next: null }
        return
      }
      const { rawBlock } = message
      row = rawBlock.offset + 1
      yield rawBlock
    }
  } finally {
    await worker.terminate()
  }
}

/** The options that the thread needs. */
function pick({
  blockBytes,
  recordBytesMax,
  decodeMsMax,
  decodeBytesMax,
  zstdWindowBytesMax,
  allColumns = false,
}: FormatOptions): FormatOptions {
  return { blockBytes, recordBytesMax, decodeMsMax, decodeBytesMax, zstdWindowBytesMax, allColumns }
}

type Reply = Exclude<ThreadMessage, { kind: 'read' }> | { readonly kind: 'lost'; readonly message: string }

/**
 * Serves the reads of the thread; `next` requests a block and returns it. A thread that computes for longer than
 * `decodeMsMax` without a message counts as lost: hyparquet loops forever on some damaged pages. Time spent waiting for
 * bytes does not count.
 */
function conversation(
  worker: Worker,
  shard: Shard,
  decodeMsMax: number,
  signal: AbortSignal,
): { next(): Promise<Reply> } {
  let resolve: (reply: Reply) => void = () => {}
  let reject: (error: unknown) => void = () => {}
  /** Set when the thread has failed; every later `next` returns it. */
  let lost: Reply | null = null
  let reading = 0
  /** Between a `next` and its reply. */
  let pending = false
  let deadline: NodeJS.Timeout | undefined

  worker.on('message', (message: ThreadMessage) => {
    clearTimeout(deadline)
    if (message.kind === 'read') void serve(message)
    else resolve(message)
  })
  worker.on('error', (error) => lose(error.message))

  function lose(message: string): void {
    clearTimeout(deadline)
    lost = { kind: 'lost', message }
    resolve(lost)
  }

  function watch(): void {
    clearTimeout(deadline)
    if (!pending || reading > 0) return
    const late = () => lose(`nothing was decoded in ${decodeMsMax / 1000} s (read.decodeMsMax)`)
    deadline = setTimeout(late, decodeMsMax)
  }

  async function serve({ id, offset, lengthBytes }: Extract<ThreadMessage, { kind: 'read' }>): Promise<void> {
    reading++
    try {
      const bytes = await shard.read(offset, lengthBytes, signal)
      send({ kind: 'bytes', id, bytes }, bytes.byteLength === bytes.buffer.byteLength ? [bytes.buffer] : [])
    } catch (error) {
      reject(error)
    } finally {
      reading--
    }
    watch()
  }

  function send(request: ThreadRequest, transfer: ArrayBufferLike[] = []): void {
    worker.postMessage(request, transfer as ArrayBuffer[])
  }

  return {
    next: () =>
      new Promise<Reply>((onAnswer, onError) => {
        if (lost !== null) return onAnswer(lost)
        signal.throwIfAborted()
        const onAbort = () => reject(signal.reason)
        signal.addEventListener('abort', onAbort, { once: true })
        pending = true
        const settled = () => {
          pending = false
          clearTimeout(deadline)
          signal.removeEventListener('abort', onAbort)
        }
        resolve = (answer) => {
          settled()
          onAnswer(answer)
        }
        reject = (error) => {
          settled()
          onError(error)
        }
        send({ kind: 'next' })
        watch()
      }),
  }
}

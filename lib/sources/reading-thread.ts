/** Entry point of the thread that reads blocks: sends them while there is credit, several in a message where they are ready. */
import { once } from 'node:events'
import { workerData } from 'node:worker_threads'
import { nameThread, ownPort } from '../core/own-thread.js'
import { sharedBuffers } from '../core/shared-buffers.js'
import { toWire } from '../core/wire-error.js'
import { blocks, type SourceBlock } from './blocks.js'
import { LocalFile } from './local-file.js'
import {
  type BlockData,
  costOf,
  type FromReading,
  type ReadingData,
  type ShardData,
  type ToReading,
} from './reading-messages.js'
import { unread } from './rejected-shard.js'
import type { Shard } from './shard.js'

nameThread('read')
const port = ownPort()
const { shards, options, from, before, aheadBytesMax }: ReadingData = workerData

/** Blocks in a message, at most. */
const batchMax = 8

let aheadBytes = 0
let batch: BlockData[] = []
let flushing: NodeJS.Immediate | null = null
/** Called when credit was returned, or the thread is to stop. */
let wake: () => void = () => undefined
const stopped = new AbortController()
const { signal } = stopped

port.on('message', (message: ToReading) => {
  if ('stop' in message) stopped.abort()
  else {
    aheadBytes -= message.credit
    for (const buffer of message.buffers) sharedBuffers.give(buffer)
  }
  wake()
})

function shardOf({ file, ...data }: ShardData): Shard {
  return { ...data, ...(file === null ? unread : LocalFile.from(file).access()) }
}

async function read(): Promise<'end'> {
  for await (const sourced of blocks(shards.map(shardOf), { ...options, signal }, from, before)) {
    const block = dataOf(sourced)
    aheadBytes += costOf(block)
    batch.push(block)
    if (batch.length === batchMax || aheadBytes >= aheadBytesMax) flush(null)
    // In this turn of the event loop come the blocks that are ready.
    else flushing ??= setImmediate(() => flush(null))
    while (aheadBytes >= aheadBytesMax && !signal.aborted) await new Promise<void>((resolve) => (wake = resolve))
    if (signal.aborted) break
  }
  return 'end'
}

function dataOf({ block, cursor, reads, storedBytes }: SourceBlock): BlockData {
  const { number, bytes, bounds, offset, offsetUnit, rejected } = block
  // The turn of a block is the one before that of the next block.
  const turn = (cursor.turn + cursor.open.length - 1) % cursor.open.length
  return {
    shard: cursor.open[turn]?.shard as number,
    number,
    raw: { bytes: inSharedMemory(bytes), ...(bounds !== undefined && { bounds }), offset, offsetUnit, rejected },
    cursor,
    reads,
    storedBytes,
  }
}

/** Rows of Parquet and Arrow come in memory of their own, which a message would copy. */
function inSharedMemory(bytes: Uint8Array): Uint8Array {
  return bytes.buffer instanceof SharedArrayBuffer || bytes.byteLength === 0 ? bytes : sharedBuffers.copyOf(bytes)
}

function flush(end: FromReading['end']): void {
  if (flushing !== null) clearImmediate(flushing)
  flushing = null
  const message: FromReading = { blocks: batch, end }
  batch = []
  port.postMessage(message)
}

flush(await read().catch(toWire))
// Ends with the generator, so that its processor time can be read until then.
if (!signal.aborted) await once(signal, 'abort')
port.close()

/** Thread that decodes one Parquet shard: requests bytes, and sends one block for every 'next'. */

import { workerData } from 'node:worker_threads'
import { ownPort } from '../../core/own-thread.js'
import type { ThreadMessage, ThreadRequest } from './parquet.js'
import { type ParquetInput, rowBlocks } from './parquet-rows.js'

const port = ownPort()
const input: ParquetInput = workerData
const waiting = new Map<number, (bytes: Uint8Array) => void>()
let reads = 0
const rawBlocks = rowBlocks(input, read)

port.on('message', (request: ThreadRequest) => {
  if (request.kind === 'next') void next()
  else {
    waiting.get(request.id)?.(request.bytes)
    waiting.delete(request.id)
  }
})

/** Never rejects: after a failed read, the main thread terminates this one. */
function read(offset: number, lengthBytes: number): Promise<Uint8Array> {
  return new Promise((resolve) => {
    waiting.set(++reads, resolve)
    send({ kind: 'read', id: reads, offset, lengthBytes })
  })
}

async function next(): Promise<void> {
  const { value: rawBlock, done } = await rawBlocks.next()
  if (done) send({ kind: 'end' })
  else send({ kind: 'block', rawBlock }, [rawBlock.bytes.buffer as ArrayBuffer])
}

function send(message: ThreadMessage, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer)
}

/** The thread that decodes one Parquet shard: asks for bytes, gives a piece for every 'next'. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import type { ThreadMessage, ThreadRequest } from './parquet.js'
import { type ParquetInput, rowPieces } from './parquet-rows.js'

const port = parentPort as MessagePort
const waiting = new Map<number, (bytes: Uint8Array) => void>()
let reads = 0
const pieces = rowPieces(workerData as ParquetInput, read)

port.on('message', (request: ThreadRequest) => {
  if (request.kind === 'next') void next()
  else {
    waiting.get(request.id)?.(request.bytes)
    waiting.delete(request.id)
  }
})

/** Never rejects: a read that fails ends this thread from the other side. */
function read(offset: number, lengthBytes: number): Promise<Uint8Array> {
  return new Promise((resolve) => {
    waiting.set(++reads, resolve)
    send({ kind: 'read', id: reads, offset, lengthBytes })
  })
}

async function next(): Promise<void> {
  const { value: piece, done } = await pieces.next()
  if (done) send({ kind: 'end' })
  else send({ kind: 'piece', piece }, [piece.bytes.buffer as ArrayBuffer])
}

function send(message: ThreadMessage, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer)
}

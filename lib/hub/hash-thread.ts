/** The thread that hashes one stream, batch by batch, in the order in which they come. */
import { createHash } from 'node:crypto'
import { type MessagePort, parentPort } from 'node:worker_threads'
import type { HashAnswer, HashRequest } from './hash.js'

const port = parentPort as MessagePort
const hash = createHash('sha256')

port.on('message', (request: HashRequest) => {
  if (request === 'digest') return answer(hash.digest('hex'))
  const { batch, lengthBytes } = request
  hash.update(batch.subarray(0, lengthBytes))
  answer(batch, [batch.buffer])
})

function answer(value: HashAnswer, moved: ArrayBuffer[] = []): void {
  port.postMessage(value, moved)
}

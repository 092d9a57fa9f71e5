/** Thread that hashes one stream. Batches are processed in the order in which they arrive. */

import { createHash } from 'node:crypto'
import { ownPort } from '../core/own-thread.js'
import type { HashReply, HashRequest } from './stream-hash.js'

const port = ownPort()
const hash = createHash('sha256')

port.on('message', (request: HashRequest) => {
  if (request === 'digest') return reply(hash.digest('hex'))
  const { batch, lengthBytes } = request
  hash.update(batch.subarray(0, lengthBytes))
  reply(batch, [batch.buffer])
})

function reply(value: HashReply, moved: ArrayBuffer[] = []): void {
  port.postMessage(value, moved)
}

/** Thread that encodes row groups, one at a time. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { encodeGroup, type GroupOptions } from './encode-group.js'
import { zstdCompressor } from './zstd.js'

const port = parentPort as MessagePort
const compressor = zstdCompressor((workerData as { readonly zstdLevel: number }).zstdLevel)

port.on('message', async (options: GroupOptions) => {
  const encoded = encodeGroup(options, await compressor)
  port.postMessage(encoded, [encoded.bytes.buffer])
})

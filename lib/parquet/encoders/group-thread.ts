/** Thread that encodes row groups, one at a time. */

import { workerData } from 'node:worker_threads'
import { ownPort } from '../../core/own-thread.js'
import { encodeGroup, type GroupOptions } from './encode-group.js'
import { zstdCompressor } from './zstd.js'

const port = ownPort()
const { zstdLevel }: { readonly zstdLevel: number } = workerData
const compressor = zstdCompressor(zstdLevel)

port.on('message', async (options: GroupOptions) => {
  const encoded = encodeGroup(options, await compressor)
  port.postMessage(encoded, [encoded.bytes.buffer])
})

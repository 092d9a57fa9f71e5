/** Entry point of the thread that hashes ids and encodes frames for the thread that decides duplicates. */
import { workerData } from 'node:worker_threads'
import { nameThread, ownPort } from '../core/own-thread.js'
import { toWire } from '../core/wire-error.js'
import { LocalFrames } from './block-frames.js'
import type { IdBytes } from './kept-frames.js'
import type { FramesReply, FramesRequest, ThreadData } from './thread-messages.js'

nameThread('dedup-log')
const port = ownPort()
const { plan }: ThreadData = workerData
const frames = new LocalFrames(plan)
/** Ids by number of the block, until it is encoded. */
const ids = new Map<number, IdBytes>()

port.on('message', (request: FramesRequest) => {
  const reply = replyTo(request)
  if (reply !== null) port.postMessage(reply)
})

function replyTo(request: FramesRequest): FramesReply | null {
  try {
    if ('begin' in request) frames.begin(request.begin)
    else if ('announce' in request) {
      const own = frames.ids(request.announce)
      ids.set(request.announce.number, own)
      return { ids: own }
    } else {
      const { encode, kept } = request
      const own = request.ids ?? ids.get(encode.number) ?? frames.ids(encode)
      ids.delete(encode.number)
      frames.written(request.written)
      return { frames: frames.encode(encode, own, kept) }
    }
    return null
  } catch (error) {
    return { error: toWire(error) }
  }
}

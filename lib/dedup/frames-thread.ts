/** Entry point of the thread that hashes ids and encodes frames for the thread that decides duplicates. */
import { workerData } from 'node:worker_threads'
import { nameThread, ownPort } from '../core/own-thread.js'
import { toWire } from '../core/wire-error.js'
import { ContractError } from '../errors.js'
import { LocalFrames } from './block-frames.js'
import type { BlockToDecide } from './block-rows.js'
import type { IdBytes } from './kept-frames.js'
import type { FramesReply, FramesRequest, ThreadData } from './thread-messages.js'

nameThread('dedup-log')
const port = ownPort()
const { plan }: ThreadData = workerData
const frames = new LocalFrames(plan)
/** Blocks and their ids by number, until they are encoded. */
const announced = new Map<number, { readonly block: BlockToDecide; readonly ids: IdBytes }>()

port.on('message', (request: FramesRequest) => {
  const reply = replyTo(request)
  if (reply !== null) port.postMessage(reply)
})

function replyTo(request: FramesRequest): FramesReply | null {
  try {
    if ('begin' in request) frames.begin(request.begin)
    else if ('announce' in request) {
      const block = request.announce
      const ids = frames.ids(block)
      announced.set(block.number, { block, ids })
      return { ids }
    } else {
      const { encode, kept } = request
      const { block, ids } = typeof encode === 'number' ? announcedAs(encode) : { block: encode, ids: request.ids }
      announced.delete(block.number)
      frames.written(request.written)
      return { frames: frames.encode(block, ids ?? frames.ids(block), kept) }
    }
    return null
  } catch (error) {
    return { error: toWire(error) }
  }
}

function announcedAs(number: number): { readonly block: BlockToDecide; readonly ids: IdBytes } {
  const block = announced.get(number)
  if (block === undefined) throw new ContractError(`block ${number} was not announced`)
  return block
}

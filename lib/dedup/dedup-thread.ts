/** Entry point of the thread that decides duplicates: messages in, in order, and one reply each. */
import { workerData } from 'node:worker_threads'
import { nameThread, ownPort } from '../core/own-thread.js'
import { toWire } from '../core/wire-error.js'
import { BlockDecider } from './block-decider.js'
import { LocalFrames } from './block-frames.js'
import { canBeDivided, DividedDecider } from './divided-decider.js'
import { DirectTexts } from './kept-texts.js'
import { ThreadFrames } from './thread-frames.js'
import type { FromThread, ThreadData, ToThread } from './thread-messages.js'

const port = ownPort()
nameThread('dedup')
const { plan, threads }: ThreadData = workerData
const reads: ((text: string | null) => void)[] = []
const send = (message: FromThread): void => port.postMessage(message)

/** Created by the first message, so that a failure to create it is reported as the reply. */
let decider: BlockDecider | DividedDecider | null = null
/** Null if texts are read by the thread of the deduplicator. */
let direct: DirectTexts | null = null
/** Settles when the messages so far are replied to: a block may wait for a text. */
let done: Promise<void> = Promise.resolve()

port.on('message', (message: ToThread) => {
  if ('text' in message) {
    reads.shift()?.(message.text)
    return
  }
  // While the block before is decided: its ids can be hashed meanwhile.
  if ('decide' in message) decider?.announce(message.decide)
  done = done.then(() => reply(message))
})

function newDecider(): BlockDecider | DividedDecider {
  const frames = threads > 1 ? new ThreadFrames(plan) : new LocalFrames(plan)
  return threads > 2 && canBeDivided(plan)
    ? new DividedDecider(plan, threads - 2, frames, readText)
    : new BlockDecider(plan, frames, readText)
}

async function reply(message: Exclude<ToThread, { readonly text: unknown }>): Promise<void> {
  try {
    decider ??= newDecider()
    if ('restore' in message) {
      const own = decider
      await Promise.all(message.restore.map((payload) => own.restore(payload)))
      send({ figures: decider.figures })
    } else if ('begin' in message) {
      if (message.texts !== null) direct = new DirectTexts(message.texts)
      decider.begin(message.begin)
      send({ figures: decider.figures })
    } else {
      decider.written(message.written)
      const { done } = await decider.decide(message.decide)
      done.then((decided) => send({ decided }), fail)
    }
  } catch (error) {
    fail(error)
  }
}

function fail(error: unknown): void {
  send({ error: toWire(error) })
}

function readText(document: number, offset: number): string | null | Promise<string | null> {
  if (direct !== null) return direct.read(document, offset)
  return new Promise((resolve) => {
    reads.push(resolve)
    send({ read: { document, offset } })
  })
}

/** Frames and ids made by a thread of their own, while the calling one decides on the next block. */
import { Worker } from 'node:worker_threads'
import { fromWire } from '../core/wire-error.js'
import { WorkerLostError } from '../errors.js'
import { parseFrame } from '../storage/frames.js'
import type { BlockFrames, EncodedFrames, KeptOfBlock } from './block-frames.js'
import { packedIds } from './block-ids.js'
import type { BlockToDecide } from './block-rows.js'
import type { IdBytes } from './kept-frames.js'
import type { DecidePlan, LogLengths } from './plan.js'
import type { FramesReply, FramesRequest, ThreadData } from './thread-messages.js'

interface Waiting {
  readonly resolve: (reply: FramesReply) => void
  readonly reject: (error: Error) => void
}

/** Texts of a block that are not written, once they are encoded. */
interface UnwrittenTexts {
  readonly start: number
  readonly end: number
  readonly frames: Promise<EncodedFrames>
}

export class ThreadFrames implements BlockFrames {
  readonly #worker: Worker
  readonly #waiting: Waiting[] = []
  readonly #ids = new Map<number, Promise<IdBytes>>()
  /** Blocks whose ids the thread has. */
  readonly #hashed = new Set<number>()
  /** Oldest first. */
  readonly #unwritten: UnwrittenTexts[] = []
  #textsBytes = 0
  #written: LogLengths = { logBytes: 0, textsBytes: 0 }
  #failure: Error | null = null

  constructor(plan: DecidePlan) {
    this.#worker = new Worker(new URL('./frames-thread.js', import.meta.url), {
      execArgv: [],
      workerData: { plan, threads: 1 } satisfies ThreadData,
      name: 'dedup-log',
    })
    this.#worker.on('message', (reply: FramesReply) => this.#receive(reply))
    this.#worker.on('error', (error) => this.#fail(error))
    this.#worker.on('exit', (code) => this.#fail(new Error(`exit code ${code}`)))
  }

  begin(lengths: LogLengths): void {
    this.#textsBytes = lengths.textsBytes
    this.#post({ begin: lengths })
  }

  announce(block: BlockToDecide): void {
    if (block.ids !== null) return
    const ids = this.#request({ announce: block }).then((reply) => ('ids' in reply ? reply.ids : unexpected()))
    ids.catch(() => undefined) // reported where the ids are used
    this.#ids.set(block.number, ids)
    this.#hashed.add(block.number)
  }

  ids(block: BlockToDecide): IdBytes | Promise<IdBytes> {
    if (block.ids !== null) return packedIds(block.ids)
    if (!this.#ids.has(block.number)) this.announce(block)
    const ids = this.#ids.get(block.number) as Promise<IdBytes>
    this.#ids.delete(block.number)
    return ids
  }

  encode(block: BlockToDecide, ids: IdBytes, kept: KeptOfBlock): Promise<EncodedFrames> {
    // The thread has the block and the ids that it hashed.
    const announced = this.#hashed.delete(block.number)
    const frames = this.#request({
      encode: announced ? block.number : block,
      kept,
      ids: announced || block.ids !== null ? null : ids,
      written: this.#written,
    }).then((reply) => {
      return 'frames' in reply ? reply.frames : unexpected()
    })
    frames.catch(() => undefined) // reported to the caller, too
    const start = this.#textsBytes
    this.#textsBytes = kept.endBytes
    if (kept.endBytes > start) this.#unwritten.push({ start, end: kept.endBytes, frames })
    return frames
  }

  read(offset: number): string | null | Promise<string | null> {
    const block = this.#unwritten.find(({ start, end }) => start <= offset && offset < end)
    return block === undefined ? null : readFrom(block, offset)
  }

  written(lengths: LogLengths): void {
    while ((this.#unwritten[0]?.end ?? Number.POSITIVE_INFINITY) <= lengths.textsBytes) this.#unwritten.shift()
    this.#written = lengths
  }

  #post(request: FramesRequest): void {
    this.#worker.postMessage(request)
  }

  #request(request: FramesRequest): Promise<FramesReply> {
    if (this.#failure !== null) return Promise.reject(this.#failure)
    return new Promise((resolve, reject) => {
      this.#post(request)
      this.#waiting.push({ resolve, reject })
    })
  }

  #receive(reply: FramesReply): void {
    if ('error' in reply) this.#fail(fromWire(reply.error))
    else this.#waiting.shift()?.resolve(reply)
  }

  #fail(error: Error): void {
    this.#failure ??= error
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure)
  }
}

async function readFrom({ start, frames }: UnwrittenTexts, offset: number): Promise<string> {
  let at = start
  for (const piece of (await frames).texts) {
    if (offset < at + piece.length) {
      const frame = parseFrame(piece, offset - at, offset)
      if (frame === null || typeof frame === 'number') return unexpected()
      return Buffer.from(frame.buffer, frame.byteOffset, frame.length).toString('utf8')
    }
    at += piece.length
  }
  return unexpected()
}

function unexpected(): never {
  throw new WorkerLostError('the thread that encodes the dedup log sent a reply to another request')
}

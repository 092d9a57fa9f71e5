/**
 * Limiter for servers with metrics: by the server's queue while the server has most of the requests in flight.
 * While it has not, they are held up elsewhere (in this process, in a proxy, on the network): an empty queue then says
 * nothing, and more requests only pile up there unless more of them finish. Pure, as limiter.ts.
 */
import { type FinishedRequest, type Limiter, QueueLimiter, type ServerSample } from './limiter.js'
import { ThroughputLimiter } from './throughput-limiter.js'

/** Share of the requests in flight that a server runs or has waiting, below which they are elsewhere. */
const atServerShare = 0.5
/** Fewer requests in flight are too few to tell. */
const inFlightMin = 16
/** Samples in a row after which the law changes: one may fall between two batches. */
const samplesToChange = 2

export class ServerLimiter implements Limiter {
  readonly kind = 'queue'
  readonly #inFlightMax: number
  readonly #queue: QueueLimiter
  /** The law while requests are held up elsewhere; null while the server's queue decides. */
  #elsewhere: ThroughputLimiter | null = null
  /** Samples in a row that speak for the other law. */
  #samples = 0

  constructor(inFlightMax: number) {
    this.#inFlightMax = inFlightMax
    this.#queue = new QueueLimiter(inFlightMax)
  }

  get limit(): number {
    return (this.#elsewhere ?? this.#queue).limit
  }

  get reason(): string {
    return this.#elsewhere === null ? this.#queue.reason : `few of them are at the server: ${this.#elsewhere.reason}`
  }

  noteWaiting(): void {
    this.#queue.noteWaiting()
    this.#elsewhere?.noteWaiting()
  }

  noteSample(sample: ServerSample, inFlight: number): void {
    const areElsewhere = inFlight >= inFlightMin && sample.running + sample.waiting < inFlight * atServerShare
    this.#samples = areElsewhere === (this.#elsewhere !== null) ? 0 : this.#samples + 1
    if (this.#samples >= samplesToChange) this.#changeLaw()
    // A sample that says nothing of the queue must not grow the limit.
    if (!areElsewhere && this.#elsewhere === null) this.#queue.noteSample(sample, inFlight)
  }

  noteFinished(request: FinishedRequest): void {
    this.#elsewhere?.noteFinished(request)
  }

  noteOverload(atMs: number, inFlight: number): void {
    this.#queue.noteOverload(atMs, inFlight)
    this.#elsewhere?.noteOverload(atMs, inFlight)
  }

  restart(): void {
    this.#queue.restart()
    this.#elsewhere = null
    this.#samples = 0
  }

  #changeLaw(): void {
    this.#samples = 0
    if (this.#elsewhere === null) {
      this.#elsewhere = new ThroughputLimiter(this.#inFlightMax, this.#queue.limit)
    } else {
      this.#queue.continueAt(this.#elsewhere.limit)
      this.#elsewhere = null
    }
  }
}

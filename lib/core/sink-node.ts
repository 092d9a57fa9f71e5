/**
 * The end of a graph: puts items back in the order of the input, hands them to the sink one batch at a time, and only
 * then settles their marks, which returns their credit.
 */
import { Writable } from 'node:stream'
import { GraphError } from '../errors.js'
import { edgeBatchMax, type Item, type Settlement } from './item.js'
import type { Ledger } from './ledger.js'
import type { NodeMeter } from './metrics.js'
import type { Spilled, SpillStore } from './spill.js'
import type { Position } from './types.js'
import { endsRoot, Window } from './window.js'

/** One value that reached its end, in the order of the input. */
export interface Released<T> {
  readonly position: Position
  readonly value: T
  /** Null for a value that passed every stage; else `value` is what the settling stage was given. */
  readonly settlement: Settlement | null
  /** Nothing made from the same source value comes after this. */
  readonly endsOrigin: boolean
}

/** Gets every value exactly once, in order. What a call returns for is done: its credit goes back. */
export interface OrderedSink<T> {
  readonly name: string
  write(released: readonly Released<T>[]): Promise<void> | void
  /** After the last value, when the input ended by itself. */
  end?(): Promise<void> | void
}

/** Where finished values wait for an earlier one: in memory up to a bound, then in a file. */
export interface ReorderOptions {
  /** Bytes of finished values that may wait in memory for an earlier one. Past it they go to `spill`. */
  readonly bytesMax: number
  /** Bytes that a value takes. */
  readonly sizeBytes: (value: unknown) => number
  readonly spill: SpillStore
}

interface Held {
  readonly mark: Item['mark']
  item: Item | null
  bytes: number
  spilled: Spilled | null
}

/** The end of a graph: puts items in order, hands them to the sink in batches, and then settles their marks. */
export class SinkNode extends Writable {
  readonly #window: Window<Held>
  #heldBytes = 0
  #peakBytes = 0

  constructor(
    private readonly sink: OrderedSink<unknown>,
    firstOrdinal: number,
    private readonly ledger: Ledger,
    private readonly meter: NodeMeter,
    private readonly reorder: ReorderOptions | null,
  ) {
    super({ objectMode: true, highWaterMark: 1 })
    this.#window = new Window(firstOrdinal)
  }

  /** The most bytes of values that waited for an earlier one in memory. */
  get peakBytes(): number {
    return this.#peakBytes
  }

  override _write(batch: readonly Item[], _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#take(batch).then(() => done(), done)
  }

  override _final(done: (error?: Error | null) => void): void {
    const waiting = this.#window.size
    if (waiting > 0) {
      done(new GraphError(`the input ended while ${waiting} values waited for an earlier one: a stage lost a value`))
      return
    }
    Promise.resolve(this.sink.end?.()).then(() => done(), done)
  }

  async #take(batch: readonly Item[]): Promise<void> {
    this.meter.in += batch.length
    this.meter.enter('working')
    let ready: Held[] = []
    for (const item of batch) {
      const held: Held = { mark: item.mark, item, bytes: 0, spilled: null }
      if (!this.#window.isNext(item.mark) && this.#mustSpill(held)) await this.#spill(held)
      this.#window.insert(held)
      for (let next = this.#window.take(); next !== null; next = this.#window.take()) {
        ready.push(next)
        if (ready.length < edgeBatchMax) continue
        await this.#release(ready)
        ready = []
      }
    }
    if (ready.length > 0) await this.#release(ready)
    this.meter.inFlight = this.#window.size
    this.meter.enter('waitingForInput')
  }

  /** Takes room in memory for a value that has to wait; true when there is none left. */
  #mustSpill(held: Held): boolean {
    if (this.reorder === null || held.item === null) return false
    const bytes = this.reorder.sizeBytes(held.item.value)
    if (this.#heldBytes + bytes > this.reorder.bytesMax) return true
    held.bytes = bytes
    this.#heldBytes += bytes
    this.#peakBytes = Math.max(this.#peakBytes, this.#heldBytes)
    return false
  }

  async #spill(held: Held): Promise<void> {
    if (this.reorder === null || held.item === null) return
    const { value, settlement } = held.item
    held.spilled = await this.reorder.spill.put({ value, settlement: withoutError(settlement) })
    held.item = null
  }

  async #release(ready: readonly Held[]): Promise<void> {
    const released: Released<unknown>[] = []
    for (const held of ready) {
      this.#heldBytes -= held.bytes
      const { value, settlement } = held.item ?? (await this.#restore(held))
      released.push({ position: held.mark.position, value, settlement, endsOrigin: endsRoot(held.mark) })
    }
    await this.sink.write(released)
    this.meter.out += released.length
    for (const held of ready) this.ledger.settle(held.mark)
  }

  async #restore(held: Held): Promise<Pick<Item, 'value' | 'settlement'>> {
    if (this.reorder === null || held.spilled === null)
      throw new GraphError('a held value is neither in memory nor spilled')
    return (await this.reorder.spill.get(held.spilled)) as Pick<Item, 'value' | 'settlement'>
  }
}

/** An error does not survive the spill file; its code and message are in the settlement already. */
function withoutError(settlement: Settlement | null): Settlement | null {
  return settlement === null ? null : { ...settlement, error: null }
}

/** Any Writable as a sink: gets the values that passed every stage, in order; what was dropped or failed is counted. */
export function writableSink<T>(writable: Writable, name = 'writable'): OrderedSink<T> {
  const failure = new Promise<never>((_, reject) => writable.once('error', reject))
  failure.catch(() => undefined) // seen by whichever write or end comes next
  return {
    name,
    async write(released) {
      for (const { value, settlement } of released) {
        if (settlement !== null || writable.write(value)) continue
        await Promise.race([failure, new Promise((drained) => writable.once('drain', drained))])
      }
    },
    async end() {
      await Promise.race([failure, new Promise<void>((finished) => writable.end(finished))])
    },
  }
}

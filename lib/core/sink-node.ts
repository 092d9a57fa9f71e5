/**
 * The end of a graph: restores input order, passes items to the sink one batch at a time, and then settles their marks,
 * which returns their credit.
 */
import { Writable } from 'node:stream'
import { GraphError } from '../errors.js'
import { edgeBatchMax, type Item, type Settlement } from './item.js'
import type { Ledger } from './ledger.js'
import type { NodeMeter } from './metrics.js'
import type { SpillRecord, SpillStore } from './spill.js'
import type { Position } from './types.js'
import { endsRoot, Window } from './window.js'
import { closedBeforeEnd, writableEnd } from './writable-end.js'

/** One value at its end, in input order. */
export type Released<T, Settled = unknown> = {
  readonly position: Position
  /** Whether this is the last value made from its source value. */
  readonly endsOrigin: boolean
} & (
  | { readonly value: T; readonly settlement: null }
  /** A stage dropped or failed the value: `value` is the input of that stage, or the value of a `Child`. */
  | { readonly value: Settled; readonly settlement: Settlement }
)

/** Receives every value exactly once, in input order. The credit of a batch is returned when `write` has returned. */
export interface OrderedSink<T, Settled = unknown> {
  readonly name: string
  /** A property, not a method, for the reason of `Stage.process`. */
  readonly write: (released: readonly Released<T, Settled>[]) => Promise<void> | void
  /** Called after the last value, if the input came to its end. */
  readonly end?: () => Promise<void> | void
  /** Called once when the run is over, however it ended. */
  readonly close?: () => Promise<void> | void
}

/** Buffer of finished values that wait for an earlier one: memory up to a limit, then a file. */
export interface ReorderOptions {
  /** Bytes of finished values that may wait in memory for an earlier one. Further ones go to `spill`. */
  readonly bytesMax: number
  /** Returns the bytes that a value takes in memory. */
  readonly sizeBytes: (value: unknown) => number
  readonly spill: SpillStore
}

/** A sink with erased types: every sink is assignable to it. */
export type ErasedSink = OrderedSink<never, never>

type ErasedRelease = Omit<Released<unknown>, 'settlement'> & Pick<Item, 'settlement'>

/** An item that waits for an earlier one. */
class Held {
  readonly mark: Item['mark']
  bytes = 0
  spilled: SpillRecord | null = null

  constructor(public item: Item | null) {
    this.mark = (item as Item).mark
  }
}

/** Restores input order, passes items to the sink in batches, and then settles their marks. */
export class SinkNode extends Writable {
  readonly #sink: ErasedSink
  readonly #ledger: Ledger
  readonly #meter: NodeMeter
  readonly #reorder: ReorderOptions | null
  readonly #window: Window<Item | Held>
  #heldBytes = 0
  #peakBytes = 0

  constructor(
    sink: ErasedSink,
    firstOrdinal: number,
    ledger: Ledger,
    meter: NodeMeter,
    reorder: ReorderOptions | null,
  ) {
    super({ objectMode: true, highWaterMark: 1 })
    this.#sink = sink
    this.#ledger = ledger
    this.#meter = meter
    this.#reorder = reorder
    this.#window = new Window(firstOrdinal)
  }

  /** Peak bytes of values that waited in memory for an earlier one. */
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
    Promise.resolve(this.#sink.end?.()).then(() => done(), done)
  }

  async #take(batch: readonly Item[]): Promise<void> {
    this.#meter.in += batch.length
    this.#meter.enter('working')
    let ready: (Item | Held)[] = []
    for (const item of batch) {
      // Most items arrive in order, and are not held.
      if (!this.#window.pass(item)) {
        const held = new Held(item)
        if (this.#mustSpill(held)) await this.#spill(held)
        this.#window.insert(held)
        continue
      }
      for (let next: Item | Held | null = item; next !== null; next = this.#window.take()) {
        ready.push(next)
        if (ready.length < edgeBatchMax) continue
        await this.#release(ready)
        ready = []
      }
    }
    if (ready.length > 0) await this.#release(ready)
    this.#meter.inFlight = this.#window.size
    this.#meter.enter('waitingForInput')
  }

  /** Reserves memory for a value that has to wait; returns true if none is left. */
  #mustSpill(held: Held): boolean {
    if (this.#reorder === null || held.item === null) return false
    const bytes = this.#reorder.sizeBytes(held.item.value)
    if (this.#heldBytes + bytes > this.#reorder.bytesMax) return true
    held.bytes = bytes
    this.#heldBytes += bytes
    this.#peakBytes = Math.max(this.#peakBytes, this.#heldBytes)
    return false
  }

  async #spill(held: Held): Promise<void> {
    if (this.#reorder === null || held.item === null) return
    const { value, settlement } = held.item
    held.spilled = await this.#reorder.spill.put({ value, settlement: withoutError(settlement) })
    held.item = null
  }

  async #release(ready: readonly (Item | Held)[]): Promise<void> {
    const released: ErasedRelease[] = []
    for (const each of ready) {
      const { mark } = each
      const { value, settlement } = each instanceof Held ? (each.item ?? (await this.#restore(each))) : each
      if (each instanceof Held) this.#heldBytes -= each.bytes
      released.push({ position: mark.position, value, settlement, endsOrigin: endsRoot(mark) })
    }
    await this.#sink.write(released as never) // GraphBuilder checked that they have the sink's types
    this.#meter.out += released.length
    for (const { mark } of ready) this.#ledger.settle(mark)
  }

  async #restore(held: Held): Promise<Pick<Item, 'value' | 'settlement'>> {
    if (this.#reorder === null || held.spilled === null)
      throw new GraphError('a waiting value is neither in memory nor spilled')
    return (await this.#reorder.spill.get(held.spilled)) as Pick<Item, 'value' | 'settlement'>
  }
}

/** An error does not survive the spill file; its code and message are in the settlement. */
function withoutError(settlement: Settlement | null): Settlement | null {
  return settlement === null ? null : { ...settlement, error: null }
}

/**
 * Returns a Writable as a sink. It receives the values that passed every stage, in order; values that were dropped or
 * failed go to `onSettled`.
 */
export function writableSink<T, Settled>(
  writable: Writable,
  name = 'writable',
  onSettled?: (value: Settled, settlement: Settlement) => void,
): OrderedSink<T, Settled> {
  const ended = writableEnd(writable)
  return {
    name,
    async write(released) {
      for (const { value, settlement } of released) {
        if (settlement !== null) onSettled?.(value, settlement)
        if (settlement !== null) continue
        if (writable.writableEnded) throw closedBeforeEnd()
        if (writable.write(value)) continue
        await Promise.race([ended, new Promise((drained) => writable.once('drain', drained))])
      }
    },
    async end() {
      writable.end()
      await ended
    },
  }
}

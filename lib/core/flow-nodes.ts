/**
 * The nodes between stages that only count: the source that marks what it reads, the node that restores order, and
 * the gate that takes item credit. None of them looks into a value.
 */
import { Readable, Transform, type TransformCallback } from 'node:stream'
import type { Credit } from './credit.js'
import type { Item } from './item.js'
import type { Ledger } from './ledger.js'
import type { NodeMeter } from './metrics.js'
import { edgeBatches } from './stage-node.js'
import { Window } from './window.js'

/** How a graph begins: the name and unit of what it reads, and the room that each value takes. */
export interface SourceOptions<T> {
  readonly name: string
  readonly unit: string
  /** Ordinal of the first value; a resumed run goes on where the last one stopped. 0 by default. */
  readonly firstOrdinal?: number
  /** Room that a value takes, once, before it is handed on, until everything made from it is released. */
  readonly credit?: { readonly from: Credit; readonly amount: (value: T) => number }
}

/** Reads `values` one by one, each only when there is room for it and somebody asks. Ends early once `stopped()`. */
export function sourceNode<T>(
  values: AsyncIterable<T>,
  options: SourceOptions<T>,
  ledger: Ledger,
  meter: NodeMeter,
  signal: AbortSignal,
  stopped: () => boolean,
): Readable {
  async function* items(): AsyncGenerator<Item[]> {
    let ordinal = options.firstOrdinal ?? 0
    for await (const value of values) {
      meter.in++
      const mark = ledger.open(ordinal++, options.unit)
      if (options.credit !== undefined) {
        const { from, amount } = options.credit
        const taken = amount(value)
        meter.enter('blockedByOutput')
        await from.take(taken, signal)
        ledger.hold(mark, () => from.give(taken))
      }
      meter.out++
      meter.enter('blockedByOutput')
      yield [{ mark, value, settlement: null }]
      meter.enter('working')
      if (stopped()) break
    }
    // Over: from here on nobody waits for it.
    meter.enter('waitingForInput')
  }
  return Readable.from(items(), { objectMode: true, highWaterMark: 1 })
}

/** Hands items on in the order of the input. Takes in whatever comes: credit bounds what can be on the way. */
export function orderNode(firstOrdinal: number, meter: NodeMeter): Transform {
  const window = new Window<Item>(firstOrdinal)
  return new Transform({
    objectMode: true,
    readableHighWaterMark: edgeBatches,
    writableHighWaterMark: 1,
    transform(batch: readonly Item[], _encoding, done) {
      meter.in += batch.length
      const ready: Item[] = []
      for (const item of batch) {
        window.insert(item)
        for (let next = window.take(); next !== null; next = window.take()) ready.push(next)
      }
      meter.out += ready.length
      meter.inFlight = window.size
      if (ready.length > 0) this.push(ready)
      done()
    },
  })
}

/** Takes one item credit a live value, in the order they come; returned when everything made from it is released. */
export function gateNode(credit: Credit, ledger: Ledger, meter: NodeMeter, signal: AbortSignal): Transform {
  const admit = async (batch: readonly Item[], push: (items: Item[]) => void): Promise<void> => {
    let admitted: Item[] = []
    for (const item of batch) {
      meter.in++
      if (item.settlement === null) {
        if (!credit.tryTake(1)) {
          // What is admitted must go on, or nothing would ever come back.
          if (admitted.length > 0) push(admitted)
          admitted = []
          meter.enter('blockedByOutput')
          await credit.take(1, signal)
          meter.enter('working')
        }
        ledger.hold(item.mark, () => credit.give(1))
      }
      meter.out++
      admitted.push(item)
    }
    if (admitted.length > 0) push(admitted)
    meter.enter('waitingForInput')
  }
  return new Transform({
    objectMode: true,
    readableHighWaterMark: edgeBatches,
    writableHighWaterMark: 1,
    transform(batch: readonly Item[], _encoding, done: TransformCallback) {
      admit(batch, (items) => this.push(items)).then(() => done(), done)
    },
  })
}

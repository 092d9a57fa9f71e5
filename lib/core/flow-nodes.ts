/**
 * The nodes other than stages and sinks: the source, which marks what it reads; the node that restores order; and the
 * gate, which takes item credit. None of them inspects a value.
 */
import { Readable, Transform, type TransformCallback } from 'node:stream'
import type { Credit } from './credit.js'
import { edgeBatches, type Item } from './item.js'
import type { Ledger } from './ledger.js'
import type { NodeMeter } from './metrics.js'
import { Window } from './window.js'

/** Options of the source node: the name and unit of its values, and the credit that each takes. */
export interface SourceNodeOptions<T> {
  readonly name: string
  readonly unit: string
  /** Ordinal of the first value; a resumed run continues where the last one stopped. 0 by default. */
  readonly firstOrdinal?: number
  /** Credit that a value takes once, before it is passed on, until everything made from it is released. */
  readonly credit?: { readonly from: Credit; readonly amount: (value: T) => number } | undefined
}

/** Reads `values` one by one, each when there is credit for it and demand. Ends early once `stopped()` is true. */
export function sourceNode(
  values: AsyncIterable<unknown>,
  options: SourceNodeOptions<never>,
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
        const taken = amount(value as never) // GraphBuilder checked that the value has the type of `options`
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
    // The source has ended: it must not count as working while later nodes finish.
    meter.enter('waitingForInput')
  }
  return Readable.from(items(), { objectMode: true, highWaterMark: 1 })
}

/** Passes items on in input order. Accepts every item: credit bounds how many can be in flight. */
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
        if (window.pass(item)) ready.push(item)
        else window.insert(item)
        for (let next = window.take(); next !== null; next = window.take()) ready.push(next)
      }
      meter.out += ready.length
      meter.inFlight = window.size
      if (ready.length > 0) this.push(ready)
      done()
    },
  })
}

/** Takes one item credit per live value, in order of arrival; returned when everything made from it is released. */
export function gateNode(credit: Credit, ledger: Ledger, meter: NodeMeter, signal: AbortSignal): Transform {
  const give = (): void => credit.give(1)
  const admit = async (batch: readonly Item[], push: (items: Item[]) => void): Promise<void> => {
    let admitted: Item[] = []
    for (const item of batch) {
      meter.in++
      if (item.settlement === null) {
        if (!credit.tryTake(1)) {
          // Pass admitted values on before waiting: otherwise no credit would ever be returned.
          if (admitted.length > 0) push(admitted)
          admitted = []
          meter.enter('blockedByOutput')
          await credit.take(1, signal)
          meter.enter('working')
        }
        ledger.hold(item.mark, give)
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

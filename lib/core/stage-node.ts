/**
 * A stage as a stream: takes batches of items, calls the stage with their values, and gives each outcome its mark.
 * The stage never sees a mark, so it can neither lose nor repeat one; a breach of its contract throws.
 *
 * Holds at most one input batch, `inFlightMax × batchMax` values in calls, their emitted values, and one batch of
 * output beyond the edge's high-water mark.
 */
import { Duplex } from 'node:stream'
import { asError } from '../caught-error.js'
import { ContractError } from '../errors.js'
import { edgeBatches, edgeBatchMax, type Item, type Settlement } from './item.js'
import type { Ledger, Mark } from './ledger.js'
import type { NodeMeter } from './metrics.js'
import { Child, type Dropped, type Failed, type Outcome, type Stage, type StageContext } from './types.js'

/** A stage with erased types: every stage is assignable to it. */
export type ErasedStage = Stage<never, unknown, unknown>

/** Parts of the run that its stage nodes use. */
interface StageNodeParts {
  readonly ledger: Ledger
  readonly meter: NodeMeter
  readonly signal: AbortSignal
  readonly valuesLeave: boolean
}

/** Runs a stage in a graph: batches, concurrent calls, outcomes checked against the contract. */
export class StageNode extends Duplex {
  readonly #stage: ErasedStage
  readonly #ledger: Ledger
  readonly #meter: NodeMeter
  readonly #signal: AbortSignal
  readonly #valuesLeave: boolean
  readonly #batchMax: number
  readonly #inFlightMax: number
  #batch: readonly Item[] = []
  #cursor = 0
  #callsInFlight = 0
  #output: Item[] = []
  #outputBlocked = false
  #flushScheduled = false
  #taken: ((error?: Error | null) => void) | null = null
  #ended: (() => void) | null = null

  constructor(stage: ErasedStage, { ledger, meter, signal, valuesLeave }: StageNodeParts) {
    super({ objectMode: true, readableHighWaterMark: edgeBatches, writableHighWaterMark: 1 })
    this.#stage = stage
    this.#ledger = ledger
    this.#meter = meter
    this.#signal = signal
    this.#valuesLeave = valuesLeave
    this.#batchMax = stage.batchMax ?? 1
    this.#inFlightMax = stage.inFlightMax ?? 1
  }

  override _write(batch: readonly Item[], _encoding: BufferEncoding, taken: (error?: Error | null) => void): void {
    this.#batch = batch
    this.#cursor = 0
    this.#taken = taken
    this.#pump()
  }

  override _read(): void {
    this.#outputBlocked = false
    this.#flush()
    this.#pump()
  }

  override _final(ended: () => void): void {
    this.#ended = ended
    this.#endWhenIdle()
  }

  /** Starts calls while there is input, a free call and an open output. */
  #pump(): void {
    while (this.#taken !== null && this.#callsInFlight < this.#inFlightMax && !this.#outputBlocked && !this.destroyed) {
      const items: Item[] = []
      while (this.#cursor < this.#batch.length && items.length < this.#batchMax) {
        const item = this.#batch[this.#cursor++] as Item
        if (item.settlement === null) items.push(item)
        else this.#output.push(item)
      }
      if (items.length > 0) this.#call(items)
      if (this.#cursor === this.#batch.length) {
        const taken = this.#taken
        this.#taken = null
        taken()
      }
    }
    if (this.#output.length >= edgeBatchMax) this.#flush()
    else this.#scheduleFlush()
    this.#meter.enter(this.#callsInFlight > 0 ? 'working' : this.#outputBlocked ? 'blockedByOutput' : 'waitingForInput')
  }

  #call(items: readonly Item[]): void {
    this.#meter.in += items.length
    this.#meter.enter('working')
    const values = items.map((item) => item.value as never) // of the stage's input type: GraphBuilder checked it
    const hold: StageContext['hold'] = (index, release) => this.#ledger.hold((items[index] as Item).mark, release)
    const positions = items.map((item) => item.mark.position)
    const context = { signal: this.#signal, positions, hold: this.#valuesLeave ? null : hold }
    try {
      const outcomes = this.#stage.process(values, context)
      if (!(outcomes instanceof Promise)) {
        this.#settle(items, outcomes)
        return
      }
      this.#callsInFlight++
      this.#meter.inFlight += items.length
      outcomes.then(
        (settled) => this.#finish(items, settled),
        (error: Error) => this.destroy(error),
      )
    } catch (error) {
      this.destroy(asError(error))
    }
  }

  #finish(items: readonly Item[], outcomes: readonly Outcome<unknown>[]): void {
    this.#callsInFlight--
    this.#meter.inFlight -= items.length
    if (this.destroyed) return
    try {
      this.#settle(items, outcomes)
    } catch (error) {
      this.destroy(asError(error))
      return
    }
    this.#pump()
    this.#endWhenIdle()
  }

  #settle(items: readonly Item[], outcomes: readonly Outcome<unknown>[]): void {
    if (outcomes.length !== items.length) {
      throw new ContractError(`stage '${this.#stage.name}' gave ${outcomes.length} outcomes for ${items.length} values`)
    }
    for (let index = 0; index < items.length; index++) {
      this.#settleOne(items[index] as Item, outcomes[index] as Outcome<unknown>)
    }
  }

  #settleOne(item: Item, outcome: Outcome<unknown>): void {
    if (!('emit' in outcome)) {
      this.#output.push({ mark: item.mark, value: item.value, settlement: this.#settlement(outcome) })
      return
    }
    const { emit } = outcome
    const unit = this.#stage.unit
    if (unit === undefined) {
      if (emit.length !== 1) {
        const advice = emit.length === 0 ? 'a drop needs a reason' : 'a splitting stage declares its unit'
        throw new ContractError(`stage '${this.#stage.name}' emitted ${emit.length} values for one: ${advice}`)
      }
      this.#emit(item.mark, emit[0])
      return
    }
    const marks = this.#ledger.split(item.mark, emit.length, unit)
    for (let ordinal = 0; ordinal < marks.length; ordinal++) this.#emit(marks[ordinal] as Mark, emit[ordinal])
  }

  #emit(mark: Mark, value: unknown): void {
    if (value instanceof Child) {
      this.#output.push({ mark, value: value.value, settlement: this.#settlement(value.outcome) })
      return
    }
    this.#meter.out++
    this.#output.push({ mark, value, settlement: null })
  }

  #settlement(outcome: Dropped | Failed): Settlement {
    if ('drop' in outcome) {
      this.#meter.dropped++
      return {
        stage: this.#stage.name,
        kind: 'dropped',
        reason: outcome.drop,
        detail: outcome.detail ?? '',
        error: null,
      }
    }
    this.#meter.failed++
    const error = outcome.fail
    const reason = 'code' in error && typeof error.code === 'string' ? error.code : error.name
    return { stage: this.#stage.name, kind: 'failed', reason, detail: error.message, error }
  }

  /** Batches the outcomes of one turn of the event loop. */
  #scheduleFlush(): void {
    if (this.#output.length === 0 || this.#flushScheduled || this.#outputBlocked) return
    this.#flushScheduled = true
    queueMicrotask(() => {
      this.#flushScheduled = false
      if (!this.destroyed) this.#flush()
      this.#endWhenIdle()
    })
  }

  #flush(): void {
    while (this.#output.length > 0 && !this.#outputBlocked) {
      const batch = this.#output.length <= edgeBatchMax ? this.#output : this.#output.slice(0, edgeBatchMax)
      this.#output = batch === this.#output ? [] : this.#output.slice(edgeBatchMax)
      if (!this.push(batch)) this.#outputBlocked = true
    }
    if (this.#outputBlocked && this.#callsInFlight === 0) this.#meter.enter('blockedByOutput')
    this.#endWhenIdle()
  }

  #endWhenIdle(): void {
    if (this.#ended === null || this.#callsInFlight > 0 || this.#output.length > 0 || this.#batch.length > this.#cursor)
      return
    const ended = this.#ended
    this.#ended = null
    this.push(null)
    ended()
  }
}

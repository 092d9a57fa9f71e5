/**
 * Calls that wait for a slot, in order of service: the oldest unreleased record; then calls that have waited over
 * `starveMs`, longest first; then the later stage; then position. Pure: time and records are passed in.
 *
 * Each call is in the heap of its stage (by position) and in a list by arrival; taking it through one leaves an empty
 * entry in the other, which is skipped. Push and take are O(log n) with hundreds of thousands of calls. The length
 * is limited by item credit, which the record of each call holds.
 */
import { comparePositions, type Position } from '../../core/types.js'

/** Empty entries that a structure may hold before it is rebuilt. */
const emptyEntriesMax = 1024

interface Entry<T> {
  value: T | null
  readonly position: Position
  readonly stageOrder: number
  readonly sinceMs: number
}

/** The next call of a queue, with its rank among those of other queues. */
export interface NextCall<T> {
  readonly entry: Entry<T>
  readonly value: T
  /** 0 head record, 1 starved, 2 by stage. */
  readonly rank: 0 | 1 | 2
}

/** Priority queue of the calls of one endpoint group. */
export class WaitingQueue<T> {
  readonly #records: UnreleasedRecords
  readonly #starveMs: number
  readonly #stages: { readonly stageOrder: number; readonly heap: Heap<Entry<T>> }[] = []
  readonly #arrivals = new ArrivalList<T>()
  #size = 0

  constructor(records: UnreleasedRecords, starveMs: number) {
    this.#records = records
    this.#starveMs = starveMs
  }

  /** Calls waiting. */
  get size(): number {
    return this.#size
  }

  push(value: T, position: Position, stageOrder: number, nowMs: number): void {
    const entry: Entry<T> = { value, position, stageOrder, sinceMs: nowMs }
    this.#heapOf(stageOrder).push(entry)
    this.#arrivals.push(entry)
    this.#size++
  }

  /** Returns the call to serve next without removing it. */
  next(nowMs: number): NextCall<T> | null {
    let byStage: Entry<T> | null = null
    for (const { heap } of this.#stages) {
      const top = this.#top(heap)
      if (top === null) continue
      // The oldest record has the lowest position: it can only be on top of its stage.
      if (this.#records.isOldest(top.position)) return nextCall(top, 0)
      byStage ??= top
    }
    const oldest = this.#arrivals.first()
    if (oldest !== null && nowMs - oldest.sinceMs > this.#starveMs) return nextCall(oldest, 1)
    return byStage === null ? null : nextCall(byStage, 2)
  }

  /** Removes a call; returns false if it was already removed. */
  take({ entry }: NextCall<T>): boolean {
    if (entry.value === null) return false
    entry.value = null
    this.#size--
    this.#arrivals.noteEmptied()
    const heap = this.#heapOf(entry.stageOrder)
    this.#top(heap)
    if (heap.size > emptyEntriesMax && heap.size > 4 * this.#size) heap.retain((kept) => kept.value !== null)
    return true
  }

  /** Removes up to `countMax` calls of a stage that match, lowest positions first; examines `lookMax` at most. */
  takeMatching(stageOrder: number, countMax: number, lookMax: number, fits: (value: T) => boolean): T[] {
    const heap = this.#heapOf(stageOrder)
    const taken: T[] = []
    const passed: Entry<T>[] = []
    while (taken.length < countMax && passed.length < lookMax) {
      const top = this.#top(heap)
      if (top === null) break
      const { value } = top as { value: T }
      if (fits(value)) {
        taken.push(value)
        this.take({ entry: top, value, rank: 2 })
      } else {
        heap.pop()
        passed.push(top)
      }
    }
    for (const entry of passed) heap.push(entry)
    return taken
  }

  /** Removes all calls that match. */
  takeAll(leaves: (value: T) => boolean): T[] {
    const taken: T[] = []
    for (const entry of this.#arrivals.entries()) {
      if (entry.value === null || !leaves(entry.value)) continue
      taken.push(entry.value)
      entry.value = null
      this.#size--
    }
    this.#arrivals.compact()
    for (const { heap } of this.#stages) heap.retain((entry) => entry.value !== null)
    return taken
  }

  #heapOf(stageOrder: number): Heap<Entry<T>> {
    const known = this.#stages.find((stage) => stage.stageOrder === stageOrder)
    if (known !== undefined) return known.heap
    const heap = new Heap<Entry<T>>((a, b) => comparePositions(a.position, b.position) < 0)
    this.#stages.push({ stageOrder, heap })
    this.#stages.sort((a, b) => b.stageOrder - a.stageOrder)
    return heap
  }

  #top(heap: Heap<Entry<T>>): Entry<T> | null {
    for (let top = heap.top; top !== undefined; top = heap.top) {
      if (top.value !== null) return top
      heap.pop()
    }
    return null
  }
}

/** Whether `a` is served before `b`, each the next call of its queue. */
export function precedes<T>(a: NextCall<T>, b: NextCall<T>): boolean {
  if (a.rank !== b.rank) return a.rank < b.rank
  if (a.rank === 1) return a.entry.sinceMs < b.entry.sinceMs
  if (a.rank === 2 && a.entry.stageOrder !== b.entry.stageOrder) return a.entry.stageOrder > b.entry.stageOrder
  return comparePositions(a.entry.position, b.entry.position) < 0
}

/** Records with calls that the sink has not released yet; the oldest of them is served first in all queues. */
export class UnreleasedRecords {
  readonly #positions = new Heap<Position>((a, b) => comparePositions(a, b) < 0)
  #released: Position | null = null

  add(position: Position): void {
    if (this.#released === null || comparePositions(position, this.#released) > 0) this.#positions.push(position)
  }

  /** Records that everything up to `position` has left in order, as rows, rejects or both. */
  releaseUpTo(position: Position): void {
    this.#released = position
    for (let top = this.#positions.top; top !== undefined; top = this.#positions.top) {
      if (comparePositions(top, position) > 0) return
      this.#positions.pop()
    }
  }

  /** Accepts records from a position on again: later work may be about earlier records. */
  restartAt(position: Position): void {
    if (this.#released !== null && comparePositions(position, this.#released) <= 0) this.#released = null
  }

  /** Whether a call is about the oldest record or derived from it, such as a pair of the oldest chunk. */
  isOldest(position: Position): boolean {
    const oldest = this.#positions.top
    if (oldest === undefined) return false
    const depth = Math.min(oldest.length, position.length)
    for (let level = 0; level < depth; level++) if (oldest[level] !== position[level]) return false
    return true
  }

  get size(): number {
    return this.#positions.size
  }
}

function nextCall<T>(entry: Entry<T>, rank: 0 | 1 | 2): NextCall<T> {
  return { entry, value: entry.value as T, rank }
}

/** Calls in order of arrival; entries emptied elsewhere are skipped, and removed once there are many. */
class ArrivalList<T> {
  #entries: Entry<T>[] = []
  #start = 0
  #empty = 0

  push(entry: Entry<T>): void {
    this.#entries.push(entry)
  }

  noteEmptied(): void {
    this.#empty++
    if (this.#empty > emptyEntriesMax && this.#empty > this.#entries.length / 2) this.compact()
  }

  first(): Entry<T> | null {
    for (; this.#start < this.#entries.length; this.#start++) {
      const entry = this.#entries[this.#start] as Entry<T>
      if (entry.value !== null) return entry
    }
    return null
  }

  entries(): readonly Entry<T>[] {
    return this.#entries
  }

  compact(): void {
    this.#entries = this.#entries.filter((entry) => entry.value !== null)
    this.#start = 0
    this.#empty = 0
  }
}

/** Binary heap; unlike tinyqueue it can drop empty entries in bulk in O(n). */
class Heap<T> {
  readonly #before: (a: T, b: T) => boolean
  #items: T[] = []

  constructor(before: (a: T, b: T) => boolean) {
    this.#before = before
  }

  get size(): number {
    return this.#items.length
  }

  get top(): T | undefined {
    return this.#items[0]
  }

  push(item: T): void {
    const items = this.#items
    let place = items.length
    items.push(item)
    while (place > 0) {
      const parent = (place - 1) >> 1
      if (!this.#before(item, items[parent] as T)) break
      items[place] = items[parent] as T
      place = parent
    }
    items[place] = item
  }

  pop(): T | undefined {
    const top = this.#items[0]
    const last = this.#items.pop()
    if (this.#items.length > 0) this.#sink(0, last as T)
    return top
  }

  retain(keep: (item: T) => boolean): void {
    this.#items = this.#items.filter(keep)
    for (let place = (this.#items.length >> 1) - 1; place >= 0; place--) this.#sink(place, this.#items[place] as T)
  }

  #sink(from: number, item: T): void {
    const items = this.#items
    let place = from
    for (;;) {
      let child = 2 * place + 1
      if (child >= items.length) break
      if (child + 1 < items.length && this.#before(items[child + 1] as T, items[child] as T)) child++
      if (!this.#before(items[child] as T, item)) break
      items[place] = items[child] as T
      place = child
    }
    items[place] = item
  }
}

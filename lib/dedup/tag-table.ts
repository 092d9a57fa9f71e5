/**
 * Hash tables from 32-bit tags to document numbers, in typed arrays outside the V8 heap. A tag may have several
 * documents. What a tag stands for, and whether equal tags mean equal keys, is the caller's.
 *
 * Each table is cut into segments that grow alone, and their sizes are staggered, so that no insertion ever moves more
 * than one segment and the average load stays the same. Open addressing, linear probing, the first place given by the
 * tag's value: growing is one pass from left to right. Documents of one tag stand in order of insertion, whatever the
 * layout: a later one never takes a place before an earlier one, and growing keeps their order.
 */

/** Slots a segment begins with. */
const firstSlots = 32
/** Full slots at most. */
const loadMax = 0.88
/** New slots over old ones: between .70 and .88 full; 10.2 bytes an entry on average. */
const growth = 1.25
/** Slots behind the last first place, to begin with: doubled where a run reaches the end, for no capacity shortens that run. */
const tailSlots = 32
/** Numbers in a cache line of 64 bytes. */
const lineLength = 16
/** A power of two. A segment of 10 M entries, which is 640 M documents, takes about 50 ms to grow. */
const segmentsPerTable = 64

export class TagTables {
  /** Per segment [tag, document + 1] in pairs; 0 for an empty slot. */
  readonly #segments: Int32Array[] = []
  readonly #capacities: Float64Array
  readonly #entries: Float64Array
  #bytes = 0
  /** A cursor a table: the tag looked for, its segment, the slot where the search stands. */
  readonly #tags: Int32Array
  readonly #at: Int32Array
  readonly #slots: Int32Array
  /** Written so that reading ahead is not optimised away. */
  touched = 0

  constructor(readonly tables: number) {
    const count = tables * segmentsPerTable
    this.#capacities = new Float64Array(count)
    this.#entries = new Float64Array(count)
    this.#tags = new Int32Array(tables)
    this.#at = new Int32Array(tables)
    this.#slots = new Int32Array(tables)
    for (let segment = 0; segment < count; segment++) {
      // One step of growth, spread over the segments: they do not all grow at the same moment.
      const capacity = Math.floor(firstSlots * growth ** ((segment % segmentsPerTable) / segmentsPerTable))
      this.#capacities[segment] = capacity
      this.#segments.push(this.#allocate(capacity, tailSlots))
    }
  }

  get memoryBytes(): number {
    return this.#bytes
  }

  /**
   * Sets the table's cursor to where the documents of `tag` begin.
   * @param tag a signed 32-bit number
   */
  seek(table: number, tag: number): void {
    const segment = table * segmentsPerTable + (tag & (segmentsPerTable - 1))
    this.#tags[table] = tag
    this.#at[table] = segment
    this.#slots[table] = this.#home(segment, tag)
  }

  /**
   * Reads at every cursor and a little on, and nothing else: the processor waits for all these cache lines side by side
   * instead of one after the other (20 against 180 ns each here). A search looks at 15 slots on average, two to three lines.
   */
  touch(): void {
    let touched = 0
    for (let table = 0; table < this.tables; table++) {
      const slots = this.#segments[this.#at[table] as number] as Int32Array
      const slot = this.#slots[table] as number
      // The tail is longer than that: never past the end.
      touched ^=
        (slots[slot] as number) ^ (slots[slot + lineLength] as number) ^ (slots[slot + 2 * lineLength] as number)
    }
    this.touched = touched
  }

  /**
   * Moves the table's cursor over the documents of its tag, to a free slot. Writes them, in order of insertion, to
   * `found` from `from` on, as far as there is room; returns the place after the last.
   */
  collect(table: number, found: Uint32Array, from: number): number {
    const slots = this.#segments[this.#at[table] as number] as Int32Array
    const tag = this.#tags[table] as number
    let slot = this.#slots[table] as number
    let end = from
    for (;;) {
      const document = slots[slot + 1] as number
      if (document === 0) break
      if (slots[slot] === tag && end < found.length) found[end++] = document - 1
      slot += 2
    }
    this.#slots[table] = slot
    return end
  }

  /** Adds a document to the tag sought: after `collect`, which found the free slot, and before the next `seek`. Once. */
  insert(table: number, document: number): void {
    const segment = this.#at[table] as number
    const slot = this.#slots[table] as number
    const entries = (this.#entries[segment] as number) + 1
    this.#entries[segment] = entries
    const slots = this.#segments[segment] as Int32Array
    slots[slot] = this.#tags[table] as number
    slots[slot + 1] = document + 1
    // The last slot stays empty: it ends every search.
    const capacity = this.#capacities[segment] as number
    const tail = slots.length / 2 - capacity
    if (entries > capacity * loadMax) this.#rebuild(segment, Math.ceil(capacity * growth), tail)
    else if (slot >= slots.length - 4) this.#rebuild(segment, capacity, tail * 2)
  }

  #home(segment: number, tag: number): number {
    return homeOf(tag, (this.#capacities[segment] as number) / tagCount)
  }

  #rebuild(segment: number, capacity: number, tail: number): void {
    const old = this.#segments[segment] as Int32Array
    this.#capacities[segment] = capacity
    for (let wider = tail; ; wider *= 2) {
      const next = this.#allocate(capacity, wider)
      const copied = this.#copy(segment, old, next)
      this.#bytes -= (copied ? old : next).byteLength
      if (!copied) continue
      this.#segments[segment] = next
      return
    }
  }

  /** False when a run would reach the end. */
  #copy(segment: number, old: Int32Array, next: Int32Array): boolean {
    const last = next.length - 4
    const slotsPerTag = (this.#capacities[segment] as number) / tagCount
    for (let from = 0; from < old.length; from += 2) {
      const document = old[from + 1] as number
      if (document === 0) continue
      const tag = old[from] as number
      let slot = homeOf(tag, slotsPerTag)
      while (next[slot + 1] !== 0) slot += 2
      if (slot >= last) return false
      next[slot] = tag
      next[slot + 1] = document
    }
    return true
  }

  #allocate(capacity: number, tail: number): Int32Array {
    const slots = new Int32Array((capacity + tail) * 2)
    this.#bytes += slots.byteLength
    return slots
  }
}

const tagCount = 2 ** 32

/** Spreads tags in their order over the capacity: growing copies from front to back on both sides. */
function homeOf(tag: number, slotsPerTag: number): number {
  return (((tag >>> 0) * slotsPerTag) | 0) * 2
}

/**
 * Hash tables from 32-bit tags to document numbers, in typed arrays outside the V8 heap. A tag may have several
 * documents. What a tag stands for, and whether equal tags mean equal keys, is the caller's.
 *
 * Each table is cut into segments that grow alone, and their sizes are staggered, so that no insertion ever moves more
 * than one segment. Within a segment entries stand in order of tag (linear probing in which the place follows the tag):
 * a miss ends at the first greater tag, and growing is one pass from left to right. The layout depends on the entries
 * alone, and those of equal tags stand in order of insertion.
 */

/** Slots a segment begins with. */
const firstSlots = 32
/** Full slots at most; probes of a miss average (1 + 1 / (1 − .85)) / 2 = 4 there. */
const loadMax = 0.85
/** New slots over old ones: between .74 and .85 full, .795 on average, 10.1 bytes an entry. */
const growth = 1.15
/** Slots behind the last place that a tag can ask for. A longer run makes the segment grow. */
const overflowSlots = 64
/** A power of two; at 500 M entries a table a segment takes about 50 ms to grow. */
const segmentsPerTable = 64

export class TagTables {
  /** Per segment [tag, document + 1] in pairs; 0 for an empty slot. */
  readonly #segments: Uint32Array[] = []
  readonly #capacities: Float64Array
  readonly #entries: Float64Array
  #bytes = 0

  constructor(readonly tables: number) {
    const count = tables * segmentsPerTable
    this.#capacities = new Float64Array(count)
    this.#entries = new Float64Array(count)
    for (let segment = 0; segment < count; segment++) {
      // One step of growth, spread over the segments: they do not all grow at the same moment.
      const capacity = Math.floor(firstSlots * growth ** ((segment % segmentsPerTable) / segmentsPerTable))
      this.#capacities[segment] = capacity
      this.#segments.push(this.#allocate(capacity))
    }
  }

  get memoryBytes(): number {
    return this.#bytes
  }

  /** Writes the documents of `tag`, in order of insertion, to `found` from `at` on; returns the place after the last. */
  find(table: number, tag: number, found: Uint32Array, at: number): number {
    const segment = table * segmentsPerTable + (tag & (segmentsPerTable - 1))
    const slots = this.#segments[segment] as Uint32Array
    let slot = this.#home(segment, tag)
    let end = at
    for (;;) {
      const document = slots[slot + 1] as number
      if (document === 0) return end
      const other = slots[slot] as number
      if (other > tag) return end
      if (other === tag) {
        if (end === found.length) return end
        found[end++] = document - 1
      }
      slot += 2
    }
  }

  insert(table: number, tag: number, document: number): void {
    const segment = table * segmentsPerTable + (tag & (segmentsPerTable - 1))
    const entries = (this.#entries[segment] as number) + 1
    if (entries > (this.#capacities[segment] as number) * loadMax) this.#grow(segment)
    this.#entries[segment] = entries
    while (!this.#place(segment, tag, document)) this.#grow(segment)
  }

  #home(segment: number, tag: number): number {
    return Math.floor((tag * (this.#capacities[segment] as number)) / 4294967296) * 2
  }

  /** Shifts what follows by one slot; false when the run reaches the end of the segment. */
  #place(segment: number, tag: number, document: number): boolean {
    const slots = this.#segments[segment] as Uint32Array
    let slot = this.#home(segment, tag)
    while ((slots[slot + 1] as number) !== 0 && (slots[slot] as number) <= tag) slot += 2
    let free = slot
    while ((slots[free + 1] as number) !== 0) free += 2
    // The last slot stays empty: it ends every search.
    if (free >= slots.length - 2) return false
    for (; free > slot; free -= 2) {
      slots[free] = slots[free - 2] as number
      slots[free + 1] = slots[free - 1] as number
    }
    slots[slot] = tag
    slots[slot + 1] = document + 1
    return true
  }

  #grow(segment: number): void {
    const old = this.#segments[segment] as Uint32Array
    let capacity = this.#capacities[segment] as number
    for (;;) {
      capacity = Math.ceil(capacity * growth)
      this.#capacities[segment] = capacity
      const next = this.#allocate(capacity)
      if (this.#copy(segment, old, next)) {
        this.#segments[segment] = next
        this.#bytes -= old.byteLength
        return
      }
      this.#bytes -= next.byteLength
    }
  }

  /** Entries come in order of tag, so each goes to its place or behind the one before, whichever is later. */
  #copy(segment: number, old: Uint32Array, next: Uint32Array): boolean {
    let free = 0
    for (let slot = 0; slot < old.length; slot += 2) {
      const document = old[slot + 1] as number
      if (document === 0) continue
      const tag = old[slot] as number
      const at = Math.max(free, this.#home(segment, tag))
      if (at >= next.length - 2) return false
      next[at] = tag
      next[at + 1] = document
      free = at + 2
    }
    return true
  }

  #allocate(capacity: number): Uint32Array {
    const slots = new Uint32Array((capacity + overflowSlots) * 2)
    this.#bytes += slots.byteLength
    return slots
  }
}

/**
 * Hash tables from 32-bit tags to document numbers, in typed arrays outside the V8 heap. A tag may have several
 * documents. What a tag stands for, and whether equal tags mean equal keys, is the caller's: half of a tag is stored,
 * so that a few documents of other tags are found too.
 *
 * A line of the processor's cache holds ten entries: a look-up reads one, seldom two. Each table is cut into segments
 * that double alone, their sizes staggered, so that no insertion moves more than one segment and the average load stays
 * the same. Doubling splits each line in two by the next bit of the halves stored: one pass from left to right.
 * Documents of one tag stand in order of insertion, whatever the layout: a full line never has room again, and
 * doubling keeps the order.
 */

/** 32-bit words of a line of 64 bytes: ten documents, ten halves of tags in pairs, one word of flags. */
const lineWords = 16
const entriesPerLine = 10
const tagsAt = 10
const flagsAt = 15
/**
 * Flags: entries in the low four bits; whether the search goes on in the next line; two bits an entry, how many lines
 * it lies past its first one, 3 for three and more.
 */
const countMask = 15
const goesOn = 1 << 4
const pastAt = 8
const pastMax = 3
/** Full places at most: between .46 and .92 full, 10 bytes an entry on average. */
const loadMax = 0.92
/** Lines behind the last first line, to begin with: doubled where a run reaches the end, for no size shortens that run. */
const tailLines = 4
/** A power of two. A segment of 10 M documents takes about 15 ms to double. */
const segmentsPerTable = 64
const segmentShift = 26
/**
 * Lines of a segment at level 0, times 1 to 2. From there on the bits of the half stored tell the line: at 10 million
 * documents 7 of 16. Below, lines are shared by neighbours, and tags are asked for again at each doubling.
 */
const baseLines = 128
const firstLevel = -5

export class TagTables {
  readonly #segments: Int32Array[] = []
  readonly #bases: Int32Array
  readonly #levels: Int32Array
  readonly #entries: Float64Array
  readonly #entriesMax: Float64Array
  #bytes = 0
  /** A cursor a table: the tag looked for, to be set before `seek`; a signed 32-bit number. */
  readonly tags: Int32Array
  /** … its segment, its first line and the line where the search stands, in words. */
  readonly #at: Int32Array
  readonly #homes: Int32Array
  readonly #words: Int32Array
  /** The tables that `hits` found. */
  readonly hitTables: Int32Array
  /** Written so that reading ahead is not optimised away. */
  touched = 0

  /** @param tagOf the tag under which a document was inserted, for the few that doubling cannot tell from its half */
  constructor(
    readonly tables: number,
    private readonly tagOf: (table: number, document: number) => number,
  ) {
    const count = tables * segmentsPerTable
    this.#bases = new Int32Array(count)
    this.#levels = new Int32Array(count).fill(firstLevel)
    this.#entries = new Float64Array(count)
    this.#entriesMax = new Float64Array(count)
    this.tags = new Int32Array(tables)
    this.hitTables = new Int32Array(tables)
    this.#at = new Int32Array(tables)
    this.#homes = new Int32Array(tables)
    this.#words = new Int32Array(tables)
    for (let segment = 0; segment < count; segment++) {
      // One doubling, spread over the segments of all tables: they do not all grow at the same moment.
      this.#bases[segment] = Math.floor(baseLines * 2 ** (segment / count))
      this.#segments.push(this.#allocate(this.#lines(segment, firstLevel), tailLines))
      this.#entriesMax[segment] = Math.floor(this.#lines(segment, firstLevel) * entriesPerLine * loadMax)
    }
  }

  get memoryBytes(): number {
    return this.#bytes
  }

  /**
   * Sets the cursors of the tables in [from, until) to where the documents of their `tags` begin, and reads there: the
   * processor waits for all these cache lines side by side instead of one after the other (20 against 180 ns each here).
   */
  seek(from: number, until: number): void {
    const [tags, at, homes, bases, levels] = [this.tags, this.#at, this.#homes, this.#bases, this.#levels]
    const segments = this.#segments
    for (let table = from; table < until; table++) {
      const tag = tags[table] as number
      const mixed = mix(tag)
      const segment = table * segmentsPerTable + (mixed >>> segmentShift)
      const home = homeLine(bases[segment] as number, levels[segment] as number, mixed, tag) * lineWords
      at[table] = segment
      homes[table] = home
    }
    // Apart and short: the more of it the processor holds at once, the more lines it waits for together.
    let touched = 0
    for (let table = from; table < until; table++) {
      touched ^= (segments[at[table] as number] as Int32Array)[homes[table] as number] as number
    }
    this.touched = touched
  }

  /** Passes over the tables in [from, until) that have nothing in their only line; the others go to `hitTables`, to be collected. */
  hits(from: number, until: number): number {
    const [tags, at, homes, cursors, hitTables] = [this.tags, this.#at, this.#homes, this.#words, this.hitTables]
    const segments = this.#segments
    let count = 0
    for (let table = from; table < until; table++) {
      const words = segments[at[table] as number] as Int32Array
      const home = homes[table] as number
      const half = (tags[table] as number) & 0xffff
      cursors[table] = home
      if (((words[home + flagsAt] as number) & goesOn) !== 0 || hasHalf(words, home + tagsAt, half | (half << 16))) {
        hitTables[count++] = table
      }
    }
    return count
  }

  /**
   * Moves the table's cursor over the documents of its tag. Writes them, in order of insertion, to `found` from `from`
   * on, as far as there is room; returns the place after the last.
   */
  collect(table: number, found: Uint32Array, from: number): number {
    const words = this.#segments[this.#at[table] as number] as Int32Array
    const half = (this.tags[table] as number) & 0xffff
    let word = this.#homes[table] as number
    let end = from
    for (;;) {
      if (hasHalf(words, word + tagsAt, half | (half << 16))) end = collectLine(words, word, half, found, end)
      if (((words[word + flagsAt] as number) & goesOn) === 0) break
      word += lineWords
    }
    this.#words[table] = word
    return end
  }

  /** Adds a document to the tag sought: after `hits` or `collect`, which found the line, and before the next `seek`. Once. */
  insert(table: number, document: number): void {
    const segment = this.#at[table] as number
    const words = this.#segments[segment] as Int32Array
    const home = this.#homes[table] as number
    const word = put(words, this.#words[table] as number, home, this.tags[table] as number, document)
    const entries = (this.#entries[segment] as number) + 1
    this.#entries[segment] = entries
    const level = this.#levels[segment] as number
    // The last line stays as it is: it ends every search.
    if (entries > (this.#entriesMax[segment] as number)) this.#rebuild(segment, level + 1, tailLines)
    else if (word >= words.length - lineWords) {
      this.#rebuild(segment, level, (words.length / lineWords - this.#lines(segment, level)) * 2)
    }
  }

  #lines(segment: number, level: number): number {
    const base = this.#bases[segment] as number
    return level < 0 ? (base >> -level) + 1 : base << level
  }

  #rebuild(segment: number, level: number, tail: number): void {
    const old = this.#segments[segment] as Int32Array
    for (let wider = tail; ; wider *= 2) {
      const next = this.#allocate(this.#lines(segment, level), wider)
      const copied = this.#copy(segment, old, next, level)
      this.#bytes -= (copied ? old : next).byteLength
      if (!copied) continue
      this.#segments[segment] = next
      this.#levels[segment] = level
      this.#entriesMax[segment] = Math.floor(this.#lines(segment, level) * entriesPerLine * loadMax)
      return
    }
  }

  /** False when a run would reach the end. */
  #copy(segment: number, old: Int32Array, next: Int32Array, level: number): boolean {
    const table = Math.floor(segment / segmentsPerTable)
    const base = this.#bases[segment] as number
    const before = this.#levels[segment] as number
    const last = next.length - lineWords
    for (let from = 0; from < old.length; from += lineWords) {
      const flags = old[from + flagsAt] as number
      for (let entry = 0; entry < (flags & countMask); entry++) {
        const document = old[from + entry] as number
        const pair = old[from + tagsAt + (entry >> 1)] as number
        const half = (pair >>> ((entry & 1) * 16)) & 0xffff
        const past = (flags >>> (pastAt + 2 * entry)) & pastMax
        let line = from / lineWords - past
        if (past === pastMax || (level !== before && before < 0)) {
          const tag = this.tagOf(table, document >>> 0)
          line = homeLine(base, level, mix(tag), tag)
        } else if (level !== before) line = line * 2 + ((half >>> (15 - before)) & 1)
        const home = line * lineWords
        if (put(next, home, home, half, document) >= last) return false
      }
    }
    return true
  }

  #allocate(lines: number, tail: number): Int32Array {
    const words = new Int32Array((lines + tail) * lineWords)
    this.#bytes += words.byteLength
    return words
  }
}

/** The line is chosen by other bits than those of the half that is stored. */
function mix(tag: number): number {
  const mixed = Math.imul(tag ^ (tag >>> 15), 0x2c1b3c6d)
  return mixed ^ (mixed >>> 13)
}

function homeLine(base: number, level: number, mixed: number, tag: number): number {
  const line = ((mixed & 0xffff) * base) >>> 16
  return level < 0 ? line >> -level : (line << level) | ((tag & 0xffff) >>> (16 - level))
}

/** Whether a half stands in the five words from `at` on; 0 may seem to where no entry is. */
function hasHalf(words: Int32Array, at: number, pair: number): boolean {
  const zeros =
    zeroHalves((words[at] as number) ^ pair) |
    zeroHalves((words[at + 1] as number) ^ pair) |
    zeroHalves((words[at + 2] as number) ^ pair) |
    zeroHalves((words[at + 3] as number) ^ pair) |
    zeroHalves((words[at + 4] as number) ^ pair)
  return zeros !== 0
}

/** Not 0 when one of the two halves is 0. */
function zeroHalves(word: number): number {
  return (word - 0x00010001) & ~word & 0x80008000
}

function collectLine(words: Int32Array, word: number, half: number, found: Uint32Array, from: number): number {
  const count = (words[word + flagsAt] as number) & countMask
  let end = from
  for (let entry = 0; entry < count && end < found.length; entry++) {
    const pair = words[word + tagsAt + (entry >> 1)] as number
    if (((pair >>> ((entry & 1) * 16)) & 0xffff) === half) found[end++] = words[word + entry] as number
  }
  return end
}

/** Puts an entry into the first line with room from `from` on; returns that line. */
function put(words: Int32Array, from: number, home: number, tag: number, document: number): number {
  let word = from
  let flags = words[word + flagsAt] as number
  while ((flags & countMask) === entriesPerLine) {
    words[word + flagsAt] = flags | goesOn
    word += lineWords
    flags = words[word + flagsAt] as number
  }
  const entry = flags & countMask
  const tags = word + tagsAt + (entry >> 1)
  words[word + entry] = document
  words[tags] = (words[tags] as number) | ((tag & 0xffff) << ((entry & 1) * 16))
  words[word + flagsAt] = (flags + 1) | (Math.min(pastMax, (word - home) / lineWords) << (pastAt + 2 * entry))
  return word
}

/** Follows how far a run is in its input: blocks read, and blocks whose candidates are known. */
import type { InputProgress, SourceBlock } from '../sources/index.js'

/** Bytes of the input, as the shards are stored. */
export class InputMeter {
  /** Decompressed bytes of the blocks that this process read. */
  blockBytes = 0
  readonly #totalBytes: number | null
  #readBytes: number
  #decidedBytes: number
  /** Stored bytes up to the end of each block that is not decided yet. Bounded by block credit. */
  readonly #undecided = new Map<number, number>()
  #firstIsUnknown: boolean

  /** @param before stored bytes of the blocks of earlier calls; null if they are known only at the first block */
  constructor(totalBytes: number | null, before: number | null) {
    this.#totalBytes = totalBytes
    this.#readBytes = before ?? 0
    this.#decidedBytes = before ?? 0
    this.#firstIsUnknown = before === null
  }

  blockRead({ block, storedBytes }: Pick<SourceBlock, 'block' | 'storedBytes'>): void {
    this.blockBytes += block.bytes.byteLength
    // Within a compressed shard, the first block tells where an earlier call ended.
    if (this.#firstIsUnknown) this.#decidedBytes = storedBytes
    this.#firstIsUnknown = false
    this.#readBytes = Math.max(this.#readBytes, storedBytes)
    this.#undecided.set(block.number, this.#readBytes)
  }

  blockDecided(block: number): void {
    this.#decidedBytes = this.#undecided.get(block) ?? this.#decidedBytes
    this.#undecided.delete(block)
  }

  read(): InputProgress {
    return { readBytes: this.#readBytes, decidedBytes: this.#decidedBytes, totalBytes: this.#totalBytes }
  }
}

/**
 * A file for finished values that wait for an earlier one when memory for them is used up. Nothing in it outlives the
 * process: it is deleted at start, never fsynced, and emptied whenever nothing in it is waited for.
 */
import type { Spilled, SpillStore } from '../core/spill.js'
import { ContractError } from '../errors.js'
import type { FileLayer, OpenFile } from './files.js'

/**
 * How a value is written to the spill file and read back; `decode(encode(value))` must be as good as `value`.
 */
export interface SpillCodec {
  readonly encode: (value: unknown) => Uint8Array
  readonly decode: (bytes: Uint8Array) => unknown
}

/**
 * A file for values that do not fit in memory while they wait. Not fsynced, made at the first value, deleted when it
 * is closed.
 */
export class SpillFile implements SpillStore {
  readonly #files: FileLayer
  readonly #path: string
  readonly #codec: SpillCodec
  #file: OpenFile | null = null
  #endBytes = 0
  #waiting = 0
  #peakBytes = 0

  constructor(files: FileLayer, path: string, codec: SpillCodec) {
    this.#files = files
    this.#path = path
    this.#codec = codec
  }

  /** The most that the file ever took. */
  get peakBytes(): number {
    return this.#peakBytes
  }

  /** @throws {StorageError} the disk refused; nothing is put then */
  async put(value: unknown): Promise<Spilled> {
    this.#file ??= await this.#create()
    if (this.#waiting === 0 && this.#endBytes > 0) {
      await this.#file.truncate(0)
      this.#endBytes = 0
    }
    const bytes = this.#codec.encode(value)
    const place = { offset: this.#endBytes, lengthBytes: bytes.byteLength }
    await this.#file.write(bytes)
    this.#endBytes += bytes.byteLength
    this.#peakBytes = Math.max(this.#peakBytes, this.#endBytes)
    this.#waiting++
    return place
  }

  /** Once for each place: when all were read, the file starts again from its beginning. */
  async get(place: Spilled): Promise<unknown> {
    if (this.#file === null) throw new ContractError('the spill file was read before anything was put in it')
    const bytes = await this.#file.read(place.offset, place.lengthBytes)
    this.#waiting--
    return this.#codec.decode(bytes)
  }

  /** On a new inode: a process that lost its lock may still have the old one open. */
  async #create(): Promise<OpenFile> {
    await this.#files.remove(this.#path)
    return this.#files.open(this.#path, 'write')
  }

  async close(): Promise<void> {
    if (this.#file === null) return
    await this.#file.close()
    await this.#files.remove(this.#path)
    this.#file = null
  }
}

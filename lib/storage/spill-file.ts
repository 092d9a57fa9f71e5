/**
 * Temporary file for finished values that wait for an earlier one, once their memory limit is reached. Nothing in it
 * outlives the process: it is deleted at the start, never fsynced, and truncated whenever all values were read.
 */
import type { SpillRecord, SpillStore } from '../core/spill.js'
import { ContractError } from '../errors.js'
import type { FileLayer, OpenFile } from './files.js'

/** Serialisation of values in the spill file; `decode(encode(value))` must be equivalent to `value`. */
export interface SpillCodec {
  readonly encode: (value: unknown) => Uint8Array
  readonly decode: (bytes: Uint8Array) => unknown
}

/** Spill store on disk. The file is created at the first value and deleted on close. */
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

  /** Largest size that the file had, bytes. */
  get peakBytes(): number {
    return this.#peakBytes
  }

  /** @throws {StorageError} the write failed; the value was not stored */
  async put(value: unknown): Promise<SpillRecord> {
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

  /** Reads a value; may be called once per value. When all were read, the file is truncated at the next `put`. */
  async get(place: SpillRecord): Promise<unknown> {
    if (this.#file === null) throw new ContractError('the spill file was read before anything was written')
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

/**
 * Reads one file on disk, and detects concurrent writes by comparing size and time of change around every read.
 * A system error stops the run, resumable; it never rejects the file.
 */
import { createHash } from 'node:crypto'
import { type BigIntStats, constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { errorCode } from '../caught-error.js'
import { ShardChangedError, StorageError } from '../errors.js'
import { say } from '../language/say.js'
import { closeAfter } from '../storage/close-all.js'
import { storageError } from '../storage/files.js'
import type { RangedFile, ReadTarget } from '../storage/ranged-file.js'
import type { FilePlace } from './file-name.js'

/** Bytes per read. */
const readBytes = 1024 * 1024
/**
 * Smallest memory of the caller that is read into: many small reads take longer than a copy. What is left of larger memory is
 * filled too, however little it is. Otherwise a block of the size of a read, once it had been copied, would leave too little for
 * the next read, which would be copied in turn, and so would all that follow.
 */
const givenBytesMin = 256 * 1024

/** Size and number of the samples, besides the first and the last, that identify the content of a file before it is read. */
const sampleBytes = 64 * 1024
const samplesBetween = 6

/** A change this recent may be followed by another one with the same time stamp. */
const tickMsMax = 2_000

/** Of a file at one time: an equal stamp is the same content. */
type Seen = Pick<BigIntStats, 'size' | 'mtimeNs' | 'ctimeNs' | 'ino' | 'mtimeMs' | 'ctimeMs'>

/** All that another thread needs to read the same file; it can be cloned. */
export interface LocalFileState {
  readonly place: FilePlace
  readonly sizeBytes: number
  readonly version: string
  readonly seen: Seen
  readonly settled: boolean
  readonly blurred: boolean
}

/** What a shard takes over from its file. */
export interface FileAccess extends Omit<RangedFile, 'path'> {
  readonly stamp: () => string | null
  readonly local: () => LocalFileState
}

export class LocalFile {
  readonly #place: FilePlace
  readonly #size: number
  readonly #version: string
  /** State of the file when its content was last known to be that of `version`. */
  #seen: Seen
  /** Whether `#seen` was read so long after the last change that an equal stamp proves equal content. */
  #settled: boolean
  /** Something other than the content changed during a read: the stamp is no longer reliable. */
  #blurred = false

  private constructor({ place, sizeBytes, version, seen, settled, blurred }: LocalFileState) {
    this.#place = place
    this.#size = sizeBytes
    this.#version = version
    this.#seen = seen
    this.#settled = settled
    this.#blurred = blurred
  }

  /** @throws the system's error if the file cannot be opened · {StorageError} the device fails */
  static async open(place: FilePlace): Promise<LocalFile> {
    const handle = await openFile(place)
    try {
      const stats = await statsOf(handle, place.shown)
      const sizeBytes = Number(stats.size)
      const version = await contentVersion(handle, sizeBytes, place.shown)
      return new LocalFile({ place, sizeBytes, version, seen: stats, settled: isSettled(stats), blurred: false })
    } finally {
      await close(handle, place.shown)
    }
  }

  /** Returns the file that `state` was taken of, perhaps in another thread. */
  static from({ place, ...state }: LocalFileState): LocalFile {
    // A clone of a Buffer is a plain array of bytes.
    const raw = typeof place.raw === 'string' ? place.raw : Buffer.from(place.raw)
    return new LocalFile({ ...state, place: { ...place, raw } })
  }

  /** Returns the parts of a shard that read this file. */
  access(): FileAccess {
    return {
      sizeBytes: this.#size,
      version: this.#version,
      stamp: () => this.stamp(),
      local: () => this.#state(),
      open: (offset, signal, target) => this.stream(offset, signal, target),
      read: (offset, lengthBytes, signal) => this.read(offset, lengthBytes, signal),
    }
  }

  #state(): LocalFileState {
    const { size, mtimeNs, ctimeNs, ino, mtimeMs, ctimeMs } = this.#seen
    const seen = { size, mtimeNs, ctimeNs, ino, mtimeMs, ctimeMs }
    const [place, sizeBytes, version] = [this.#place, this.#size, this.#version]
    return { place, sizeBytes, version, seen, settled: this.#settled, blurred: this.#blurred }
  }

  get sizeBytes(): number {
    return this.#size
  }

  /** Hash of the size and samples of the content: 16 hexadecimal digits. Cheap for a terabyte; not a checksum. */
  get version(): string {
    return this.#version
  }

  /** Size, times of change and inode; null if an equal stamp would not prove equal content. */
  stamp(): string | null {
    const { size, mtimeNs, ctimeNs, ino } = this.#seen
    return this.#settled && !this.#blurred ? [size, mtimeNs, ctimeNs, ino].join(' ') : null
  }

  async *stream(
    start: number,
    signal: AbortSignal,
    target: ReadTarget | null = null,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    signal.throwIfAborted()
    const handle = await this.#open()
    try {
      let offset = start
      let own: Uint8Array | null = null
      while (offset < this.#size) {
        signal.throwIfAborted()
        const given: Uint8Array | null = target?.space() ?? null
        const isLarge: boolean = given !== null && given.buffer.byteLength >= givenBytesMin
        if (!isLarge) own ??= Buffer.allocUnsafeSlow(Math.min(readBytes, this.#size - offset))
        const chunk: Uint8Array = isLarge ? (given as Uint8Array) : (own as Uint8Array)
        const wanted = Math.min(chunk.byteLength, this.#size - offset)
        const bytesRead = await readAt(handle, chunk, 0, wanted, offset, this.#place.shown)
        if (bytesRead === 0) throw shorter(this.#place.shown, offset, this.#size)
        await this.#compare(handle)
        offset += bytesRead
        yield chunk.subarray(0, bytesRead)
      }
    } finally {
      await close(handle, this.#place.shown)
    }
  }

  async read(offset: number, lengthBytes: number, signal: AbortSignal): Promise<Uint8Array> {
    signal.throwIfAborted()
    const handle = await this.#open()
    try {
      const bytes = await fill(handle, offset, lengthBytes, this.#place.shown)
      await this.#compare(handle)
      return bytes
    } finally {
      await close(handle, this.#place.shown)
    }
  }

  /** The file was listed before, so that a failure to open it now counts as temporary. */
  async #open(): Promise<FileHandle> {
    const { shown } = this.#place
    let handle: FileHandle
    try {
      handle = await openFile(this.#place)
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw inputError('open', shown, error)
      throw new StorageError(
        say`${shown} was there when the run listed its files and is gone (ENOENT). Put it back, or run the
          same command again: a file of which no committed block was read is then removed from the run`,
        { cause: error, details: { errno: 'ENOENT', operation: 'open', path: shown } },
      )
    }
    try {
      await this.#recognise(handle)
      return handle
    } catch (error) {
      return closeAfter(error, [() => handle.close()])
    }
  }

  /** Compares the opened file with the one that was listed: it may be another file, or have another time stamp. */
  async #recognise(handle: FileHandle): Promise<void> {
    const stats = await statsOf(handle, this.#place.shown)
    if (stampOf(stats) === stampOf(this.#seen)) {
      this.#settled ||= isSettled(stats)
      return
    }
    const { shown } = this.#place
    if (Number(stats.size) !== this.#size) throw changed(shown, `has ${stats.size} bytes, ${this.#size} were listed`)
    if ((await contentVersion(handle, this.#size, shown)) !== this.#version) {
      throw changed(shown, 'has other content than when it was listed')
    }
    // The samples are equal; the bytes between them may differ.
    this.#blurred = true
    this.#seen = stats
  }

  /** After a read: bytes read during a write may never have been in the file at the same time. */
  async #compare(handle: FileHandle): Promise<void> {
    const stats = await statsOf(handle, this.#place.shown)
    if (stampOf(stats) === stampOf(this.#seen)) {
      this.#settled ||= isSettled(stats)
      return
    }
    if (stats.size !== this.#seen.size || stats.mtimeNs !== this.#seen.mtimeNs) {
      throw changed(this.#place.shown, 'was written to while it was read')
    }
    // Renamed, linked, or with new permissions; or written with its time reset, which only the content reveals.
    this.#blurred = true
  }
}

function stampOf({ size, mtimeNs, ctimeNs, ino }: Seen): string {
  return [size, mtimeNs, ctimeNs, ino].join(' ')
}

function isSettled({ mtimeMs, ctimeMs }: Seen): boolean {
  return Date.now() - Math.max(Number(mtimeMs), Number(ctimeMs)) >= tickMsMax
}

function changed(file: string, how: string): ShardChangedError {
  return new ShardChangedError(
    say`${file} ${how}. Run the same command again once nothing writes to it: what was committed of it is
      then compared`,
    { details: { resumable: true, path: file } },
  )
}

function shorter(file: string, found: number, expected: number): ShardChangedError {
  return changed(file, `ends at byte ${found}, ${expected} were there`)
}

async function contentVersion(handle: FileHandle, size: number, file: string): Promise<string> {
  const hash = createHash('sha256').update(String(size))
  const last = Math.max(0, size - sampleBytes)
  const offsets = Array.from({ length: samplesBetween + 2 }, (_, sample) =>
    Math.floor((last * sample) / (samplesBetween + 1)),
  )
  for (const offset of new Set(offsets)) {
    hash.update(await fill(handle, offset, Math.min(sampleBytes, size - offset), file))
  }
  return hash.digest('hex').slice(0, 16)
}

/** Never blocks: a path that has become a named pipe since it was listed is opened and ends immediately. */
function openFile({ raw }: FilePlace): Promise<FileHandle> {
  return open(raw, constants.O_RDONLY | constants.O_NONBLOCK)
}

async function fill(handle: FileHandle, offset: number, lengthBytes: number, file: string): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafeSlow(lengthBytes)
  let filled = 0
  while (filled < lengthBytes) {
    const bytesRead = await readAt(handle, bytes, filled, lengthBytes - filled, offset + filled, file)
    if (bytesRead === 0) throw shorter(file, offset + filled, offset + lengthBytes)
    filled += bytesRead
  }
  return bytes
}

/** @throws {StorageError} the device or the network failed: the shard is not rejected */
async function readAt(
  handle: FileHandle,
  into: Uint8Array,
  start: number,
  lengthBytes: number,
  offset: number,
  file: string,
): Promise<number> {
  try {
    return (await handle.read(into, start, lengthBytes, offset)).bytesRead
  } catch (error) {
    throw inputError('read', file, error)
  }
}

/** @throws {StorageError} as readAt */
async function statsOf(handle: FileHandle, file: string): Promise<BigIntStats> {
  try {
    return await handle.stat({ bigint: true })
  } catch (error) {
    throw inputError('look at', file, error)
  }
}

/** @throws {StorageError} as readAt */
async function close(handle: FileHandle, file: string): Promise<void> {
  try {
    await handle.close()
  } catch (error) {
    throw inputError('close', file, error)
  }
}

function inputError(operation: string, file: string, cause: unknown): StorageError {
  const { message, details } = storageError(operation, file, cause)
  const advice = "If only this file is affected, exclude it with '!' and its name in `files`"
  return new StorageError(`${message} ${advice}`, { cause, details })
}

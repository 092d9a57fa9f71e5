/**
 * Store of replies and verdicts under the keys of their requests: each request is sent once, later identical requests
 * are served from disk. Owns the segments of `replies/` (NNNNNN.log, closed ones NNNNNN.pack) and the index of keys.
 * Memory: the index, and a cache of decompressed blocks.
 */

import { join } from 'node:path'
import { errorMessage } from '../../caught-error.js'
import { systemClock } from '../../core/clock.js'
import type { Clock } from '../../core/types.js'
import { CorruptFileError, StorageError } from '../../errors.js'
import { say } from '../../language/say.js'
import { type AppendLog, openAppendLog } from '../append-log.js'
import { closeAfter } from '../close-all.js'
import { errnoOf, type FileLayer, makeDurableDirectory, temporarySuffix } from '../files.js'
import { KeyIndex } from './key-index.js'
import { encodeEntry, entryBlock, entryResult, keyBytes, logHeader, packCodec, packLog } from './reply-pack.js'
import { findSegments } from './reply-recovery.js'
import { logSegment, packCache, packSegment, type Segment } from './reply-segments.js'
import type { CallResult } from './types.js'

/** Size at which a log is closed and packed. Packing needs about as much memory. */
const segmentBytesDefault = 8 * 1024 * 1024
/** With `discard`, segments are smaller so that they are deleted sooner. */
const segmentBytesDiscard = 4 * 1024 * 1024
/** Group commit: fsync this long after the first entry that is not durable, or after this many bytes. */
const commitMs = 100
const commitBytes = 1024 * 1024
const offsetsPerSegment = 2 ** 32
/** Warnings about replies that became unreadable during a run, at most. */
const damageReportedMax = 100

/** Options for `openReplies`. */
interface RepliesOptions {
  readonly files: FileLayer
  /** The run directory's `replies/`; created if missing. */
  readonly directory: string
  /** `discard` deletes segments that only committed cuts need. */
  readonly mode?: 'keep' | 'discard'
  /** `replies/` of earlier runs, read only; replies served from there are copied into this store. */
  readonly from?: readonly string[]
  readonly clock?: Clock
  /** Bytes of a segment; for tests. */
  readonly segmentBytes?: number
  /** Receives reports of damage that was skipped; emits a process warning by default. */
  readonly onWarning?: (message: string) => void
}

/** The replies of a run. After a failed write every call fails. */
export interface Replies {
  /** Number of known keys, including those of earlier runs; keys of committed cuts until their segment is forgotten. */
  readonly size: number
  /** Memory of the index in bytes. */
  readonly indexBytes: number
  find(key: Uint8Array): Promise<CallResult | null>
  /** Returns once the entry is in the log's buffer; the first entry of a key wins. */
  keep(key: Uint8Array, block: number, outcome: CallResult): Promise<void>
  /** Makes everything kept before the call durable. */
  flush(): Promise<void>
  /**
   * Forgets the segments that only records before `block` need, once their cuts are committed: otherwise the index would
   * grow with the input. With `discard` the segments are deleted.
   */
  forgetBefore(block: number): Promise<void>
  close(): Promise<void>
}

/**
 * Opens the replies of a run. Truncates a torn last entry; skips and reports damaged entries, which are requested
 * again.
 *
 * @throws {CorruptFileError} a file with the name of a segment is not one
 */
export async function openReplies(options: RepliesOptions): Promise<Replies> {
  const { files, directory } = options
  await makeDurableDirectory(files, directory)
  const replies = new SegmentedReplies(options)
  try {
    await replies.open()
  } catch (error) {
    return closeAfter(error, [() => replies.abandon()])
  }
  return replies
}

class SegmentedReplies implements Replies {
  readonly #options: RepliesOptions
  readonly #index = new KeyIndex()
  /** By the number in a location; null after a segment was forgotten. */
  readonly #segments: (Segment | null)[] = []
  readonly #cache = packCache()
  #log: AppendLog | null = null
  #current: Segment | null = null
  #nextName = 0
  #uncommittedBytes = 0
  #committing: Promise<void> | null = null
  #packing: Promise<void> = Promise.resolve()
  #rotating: Promise<void> | null = null
  #failure: unknown = null
  /** The cuts before this block are committed. */
  #committedBlock = 0
  /** Locations that became unreadable during the run. */
  readonly #reported = new Set<number>()
  readonly #closing = new AbortController()
  readonly #clock: Clock

  constructor(options: RepliesOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
  }

  get size(): number {
    return this.#index.size
  }

  get indexBytes(): number {
    return this.#index.bytes
  }

  async open(): Promise<void> {
    const { directory, from = [] } = this.#options
    await this.#openDirectory(directory, true)
    await this.#openLog()
    for (const earlier of from) await this.#openDirectory(earlier, false)
  }

  async find(key: Uint8Array): Promise<CallResult | null> {
    // Packing moves keys: look the key up again if its segment was packed during the read.
    for (;;) {
      const location = this.#index.get(key)
      if (location < 0) return null
      const segment = this.#segments[Math.floor(location / offsetsPerSegment)]
      if (segment === null || segment === undefined) return null
      const payload = await this.#readOrForget(segment, location, key)
      if (payload === undefined) return null
      if (payload !== null) {
        const outcome = entryResult(payload)
        if (!segment.own) await this.#copy(key, entryBlock(payload), outcome)
        return outcome
      }
      if (this.#index.get(key) === location) {
        throw new StorageError(say`${segment.path} no longer has a reply that it had: was it changed by hand?`)
      }
    }
  }

  /** Returns undefined, and deletes the key, if the stored reply is no longer readable. */
  async #readOrForget(segment: Segment, location: number, key: Uint8Array): Promise<Uint8Array | null | undefined> {
    try {
      return await segment.read(location % offsetsPerSegment, key)
    } catch (error) {
      // Another process may pack or delete the segments of its own run.
      const isGone = !segment.own && errnoOf(error) === 'ENOENT'
      if (!(error instanceof CorruptFileError) && !isGone) throw error
      if (this.#index.get(key) !== location) return null
      this.#index.delete(key, location)
      if (!this.#reported.has(location) && this.#reported.size < damageReportedMax) {
        this.#reported.add(location)
        this.#warn(`${errorMessage(error)}; it is requested again`)
      }
      return undefined
    }
  }

  #warn(message: string): void {
    if (this.#options.onWarning === undefined) process.emitWarning(message, 'RepliesWarning')
    else this.#options.onWarning(message)
  }

  async keep(key: Uint8Array, block: number, outcome: CallResult): Promise<void> {
    this.#check()
    await this.#log?.ready()
    while (this.#rotating !== null) await this.#rotating
    this.#check()
    if (this.#index.get(key) >= 0) return
    this.#append(key, block, outcome, (location) => this.#index.add(key, location))
  }

  async flush(): Promise<void> {
    this.#check()
    while (this.#rotating !== null) await this.#rotating
    this.#check()
    this.#uncommittedBytes = 0
    await this.#log?.flush()
  }

  async forgetBefore(block: number): Promise<void> {
    this.#committedBlock = block
    const gone = this.#unneeded().filter((segment) => segment !== this.#current)
    if (gone.length === 0) return
    for (const segment of gone) this.#segments[segment.number] = null
    this.#index.retain((location) => this.#segments[Math.floor(location / offsetsPerSegment)] !== null)
    if (this.#options.mode === 'discard') await this.#delete(gone)
    else for (const segment of gone) await segment.close()
  }

  async close(): Promise<void> {
    try {
      if (this.#failure === null) await this.flush()
    } finally {
      await this.abandon()
    }
    this.#check()
    if (this.#options.mode === 'discard') await this.#delete(this.#unneeded())
  }

  /** Closes every file without a flush. */
  async abandon(): Promise<void> {
    this.#closing.abort(new DOMException('closed', 'AbortError'))
    await this.#committing
    await this.#rotating
    await this.#packing
    for (const segment of this.#segments) await segment?.close()
  }

  /** Returns the segments that only committed cuts need. */
  #unneeded(): Segment[] {
    const own = this.#segments.filter((segment) => segment?.own) as Segment[]
    return own.filter(({ lastBlock }) => lastBlock < this.#committedBlock)
  }

  async #delete(segments: readonly Segment[]): Promise<void> {
    const { files, directory } = this.#options
    for (const segment of segments) {
      await segment.close()
      await files.remove(segment.path)
    }
    if (segments.length > 0) await files.fsyncDirectory(directory)
  }

  #append(key: Uint8Array, block: number, outcome: CallResult, located: (location: number) => void): void {
    const log = this.#log as AppendLog
    const current = this.#current as Segment
    const bytes = encodeEntry({ key, block, result: outcome })
    const offset = log.append(bytes)
    current.lastBlock = Math.max(current.lastBlock, block)
    located(current.number * offsetsPerSegment + offset)
    this.#uncommittedBytes += bytes.length
    this.#committing ??= this.#commitSoon()
    const discard = this.#options.mode === 'discard'
    const limit = this.#options.segmentBytes ?? (discard ? segmentBytesDiscard : segmentBytesDefault)
    if (log.bytes >= limit) this.#rotating ??= this.#rotate()
  }

  /** Copies a reply of an earlier run into this store, so that the run resumes without that directory. */
  async #copy(key: Uint8Array, block: number, outcome: CallResult): Promise<void> {
    this.#check()
    await this.#log?.ready()
    while (this.#rotating !== null) await this.#rotating
    const before = this.#index.get(key)
    if (this.#segments[Math.floor(before / offsetsPerSegment)]?.own) return
    this.#append(key, block, outcome, (location) => this.#index.move(key, before, location))
  }

  async #commitSoon(): Promise<void> {
    try {
      const startMs = this.#clock.now()
      const stepMs = commitMs / 4
      while (this.#uncommittedBytes < commitBytes && this.#clock.now() - startMs < commitMs) {
        await this.#clock.sleep(stepMs, this.#closing.signal)
      }
      this.#committing = null
      this.#uncommittedBytes = 0
      await this.#log?.flush()
    } catch (error) {
      this.#committing = null
      if (!this.#closing.signal.aborted) this.#failure ??= error
    }
  }

  async #rotate(): Promise<void> {
    try {
      const full = this.#current as Segment
      await this.#log?.flush()
      await this.#openLog()
      if (this.#options.mode !== 'discard') this.#packing = this.#packing.then(() => this.#pack(full))
    } catch (error) {
      this.#failure ??= error
    } finally {
      this.#rotating = null
    }
  }

  async #openLog(): Promise<void> {
    const { files, directory } = this.#options
    const path = join(directory, `${segmentName(this.#nextName++)}.log`)
    const number = this.#segments.length
    const log = await openAppendLog({ files, path, header: logHeader })
    this.#current = logSegment({ number, path, own: true, files, log })
    this.#segments.push(this.#current)
    this.#log = log
  }

  /** Packs a closed log: writes the pack under a temporary name, renames it, deletes the log. One of them is always intact. */
  async #pack(segment: Segment): Promise<void> {
    const { files, directory } = this.#options
    if (this.#failure !== null || this.#closing.signal.aborted) return
    try {
      const path = segment.path.replace(/\.log$/, '.pack')
      const { keys, from, to, damage } = await packLog(files, segment.path, path, packCodec)
      await files.rename(path + temporarySuffix, path)
      await files.fsyncDirectory(directory)
      if (damage !== null)
        this.#warn(`${segment.path}: ${damage.bytes} bytes at byte ${damage.offset} became unreadable`)
      const base = segment.number * offsetsPerSegment
      const packed = packSegment({ ...segment, path, files, codec: packCodec, cache: this.#cache })
      if (this.#segments[segment.number] !== null) this.#segments[segment.number] = packed
      for (const [i, offset] of from.entries()) {
        this.#index.move(keys.subarray(i * keyBytes, (i + 1) * keyBytes), base + offset, base + (to[i] as number))
      }
      await segment.close()
      await files.remove(segment.path)
      await files.fsyncDirectory(directory)
    } catch (error) {
      this.#failure ??= error
    }
  }

  async #openDirectory(directory: string, own: boolean): Promise<void> {
    const { files, mode } = this.#options
    const onKey = (key: Uint8Array, segment: number, offset: number) =>
      this.#index.add(key, segment * offsetsPerSegment + offset)
    const onWarning = (message: string) => this.#warn(message)
    const [segments, cache] = [this.#segments, this.#cache]
    const found = await findSegments({ files, directory, own, segments, cache, onKey, onWarning })
    if (!own) return
    this.#nextName = found.nextName
    if (mode === 'discard') return
    for (const segment of found.unpacked) this.#packing = this.#packing.then(() => this.#pack(segment))
  }

  #check(): void {
    if (this.#failure !== null) throw this.#failure
  }
}

function segmentName(number: number): string {
  return String(number).padStart(6, '0')
}

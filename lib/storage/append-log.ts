/**
 * Append-only file of checksummed frames, used for replies and the dedup index. Owns group commit and the truncation
 * of a torn tail; frames.ts owns the format of a frame, the caller the meaning of a payload.
 */
import { dirname } from 'node:path'
import { errorMessage } from '../caught-error.js'
import { ContractError, StorageError } from '../errors.js'
import { say } from '../language/say.js'
import { closeAfter } from './close-all.js'
import { type FileLayer, type OpenFile, temporarySuffix } from './files.js'
import {
  compareHeaders,
  corrupt,
  decodeHeader,
  encodeFrame,
  encodeHeader,
  frameBytesMax,
  frameHeadBytes,
  type LogScan,
  type OnRecord,
  parseFrame,
  scanFrames,
} from './frames.js'
import { PendingFrames } from './pending-frames.js'

export { frameBytesMax, type LogDamage, type OnRecord } from './frames.js'

/** Limit of bytes appended but not written: beyond it `append` throws; `ready` waits well before. */
export const bufferBytesMax = 64 * 1024 * 1024
/** Limit of bytes written but not fsynced: a longer invalid tail is damage, not a torn write. */
export const unsyncedBytesMax = 32 * 1024 * 1024

/** Options for `openAppendLog`. */
interface AppendLogOptions {
  readonly files: FileLayer
  /** Its directory must exist. */
  readonly path: string
  /** Settings of the log; a log with others is refused. JSON-safe. */
  readonly header: Readonly<Record<string, unknown>>
  /** Committed length: bytes after it are truncated, frames before it must be valid. */
  readonly fromBytes?: number
  /** Receives each payload that is kept, in order, while the log is checked: saves a second pass. */
  readonly onRecord?: OnRecord
}

/** Result of `readAppendLog`. */
export interface LogContents extends LogScan {
  /** Settings of the log; null if its header is damaged. */
  readonly header: Readonly<Record<string, unknown>> | null
  /** Bytes after the last valid frame: a torn tail, or damage at the end. */
  readonly tornBytes: number
}

/**
 * Append-only file of checksummed frames. Appends go to a buffer; only `flush` makes them durable. After a failed write
 * or fsync every call fails.
 */
export interface AppendLog {
  readonly path: string
  /** Length including unwritten frames: the offset of the next frame. */
  readonly bytes: number
  /** Length that the file has: frames after it are in the buffer. */
  readonly writtenBytes: number
  /** Bytes of a torn tail that were truncated on opening; 0 if there was none. */
  readonly cutBytes: number
  /** Appends a copy of `payload`; returns its offset for `read`. Durable after the next `flush`. */
  append(payload: Uint8Array): number
  /** Appends frames that were encoded for the end of this log. They must not change until `writtenBytes` includes them. */
  appendFrames(frames: Uint8Array): void
  /** Resolves once the buffer has free capacity: await it between batches of appends. */
  ready(): Promise<void>
  read(offset: number): Promise<Uint8Array>
  /** Makes everything appended before the call durable. Concurrent calls share one fsync. */
  flush(): Promise<void>
  /** Flushes and closes. */
  close(): Promise<void>
}

/**
 * Opens a log, creates it if missing, and truncates a torn tail: bytes that no valid frame follows.
 *
 * @throws {RunMismatchError} the log was made with another header; the message has the difference
 * @throws {CorruptFileError} damage before `fromBytes` or before a valid frame, or more than a crash can cause
 */
export async function openAppendLog(options: AppendLogOptions): Promise<AppendLog> {
  const { files, path, fromBytes } = options
  const file = await files.open(path, 'append')
  try {
    const header = encodeFrame(encodeHeader(options.header), 0)
    const sizeBytes = (await files.sizeBytes(path)) ?? 0
    const end = await validBytes(file, sizeBytes, options)
    if (end < sizeBytes) await file.truncate(end)
    if (end === 0) await file.write(header)
    // A process that was killed may have written the frames found without an fsync.
    await file.fsync()
    await files.fsyncDirectory(dirname(path))
    const cutBytes = fromBytes === undefined ? sizeBytes - end : 0
    return new FileAppendLog(path, file, end === 0 ? header.length : end, cutBytes)
  } catch (error) {
    return closeAfter(error, [() => file.close()])
  }
}

/**
 * Reads a log's payloads in order, up to `untilBytes`, without writing. Damaged frames are skipped and reported to the
 * caller.
 */
export async function readAppendLog(
  { files, path, untilBytes }: { readonly files: FileLayer; readonly path: string; readonly untilBytes?: number },
  onRecord: OnRecord,
): Promise<LogContents> {
  const file = await files.open(path, 'read')
  try {
    const sizeBytes = Math.min((await files.sizeBytes(path)) ?? 0, untilBytes ?? Number.POSITIVE_INFINITY)
    let header: Readonly<Record<string, unknown>> | null = null
    const scan = await scanFrames(file, sizeBytes, path, (payload, offset) => {
      if (offset === 0) header = decodeHeader(payload, path)
      else return onRecord(payload, offset)
    })
    refuseLongDamage(path, sizeBytes, scan.bytes)
    return { ...scan, header, tornBytes: sizeBytes - scan.bytes }
  } finally {
    await file.close()
  }
}

/**
 * Rewrites a log with its valid frames only, under a temporary name that then replaces it. Offsets change.
 *
 * @param header settings that the log was made with; the header in the file may be damaged
 */
export async function salvageAppendLog(
  files: FileLayer,
  path: string,
  header: Readonly<Record<string, unknown>>,
): Promise<void> {
  const temporary = path + temporarySuffix
  await files.remove(temporary)
  const log = await openAppendLog({ files, path: temporary, header })
  try {
    await readAppendLog({ files, path }, (payload) => {
      log.append(payload)
      return log.ready()
    })
  } finally {
    await log.close()
  }
  await files.rename(temporary, path)
  await files.fsyncDirectory(dirname(path))
}

/** Returns the length to keep; 0 if the header is incomplete. */
async function validBytes(file: OpenFile, sizeBytes: number, options: AppendLogOptions): Promise<number> {
  const { path, fromBytes, header, onRecord } = options
  if (fromBytes !== undefined && sizeBytes < fromBytes) {
    throw corrupt(path, sizeBytes, `it ends there, but ${fromBytes} bytes were committed`)
  }
  const onFrame: OnRecord = (payload, offset) => {
    if (offset === 0) compareHeaders(decodeHeader(payload, path), header, path)
    else return onRecord?.(payload, offset)
  }
  const stopAtDamage = fromBytes !== undefined
  const { bytes: end, damage } = await scanFrames(file, fromBytes ?? sizeBytes, path, onFrame, { stopAtDamage })
  if (fromBytes !== undefined && end !== fromBytes) {
    throw corrupt(path, end, `a frame there is damaged, and ${fromBytes} bytes were committed`)
  }
  if (damage !== null) throw corrupt(path, damage.offset, `${damage.bytes} bytes are, and valid frames follow`)
  if (fromBytes === undefined) refuseLongDamage(path, sizeBytes, end)
  return end
}

function refuseLongDamage(path: string, sizeBytes: number, end: number): void {
  if (sizeBytes - end <= unsyncedBytesMax) return
  throw corrupt(path, end, `the ${sizeBytes - end} bytes from there are damaged, more than a crash can cause`)
}

const writeBytes = 1024 * 1024
/** Buffered bytes at which a write starts without a flush, so that a flush has little left to write. */
const eagerBytes = 256 * 1024

class FileAppendLog implements AppendLog {
  readonly #file: OpenFile
  readonly #pending = new PendingFrames()
  #writtenBytes: number
  #durableBytes: number
  /** Chain of writes, one after the other. Never rejects: the error is in #failure. */
  #work: Promise<void> = Promise.resolve()
  #queuedFlush: Promise<void> | null = null
  #eager: Promise<void> | null = null
  #failure: unknown = null
  #closed = false

  constructor(
    readonly path: string,
    file: OpenFile,
    public bytes: number,
    readonly cutBytes: number,
  ) {
    this.#file = file
    this.#writtenBytes = bytes
    this.#durableBytes = bytes
  }

  append(payload: Uint8Array): number {
    this.#check()
    if (payload.length > frameBytesMax) {
      throw new ContractError(`a record of ${payload.length} bytes does not fit ${this.path}: ${frameBytesMax} at most`)
    }
    if (this.#bufferedBytes >= bufferBytesMax) {
      throw new ContractError(`${this.path} has ${this.#bufferedBytes} bytes to write: await ready() between appends`)
    }
    const offset = this.bytes
    this.#pending.append(payload, offset)
    this.bytes += frameHeadBytes + payload.length
    if (this.#bufferedBytes >= eagerBytes) this.#writeEagerly()
    return offset
  }

  appendFrames(frames: Uint8Array): void {
    this.#check()
    if (this.#bufferedBytes >= bufferBytesMax) {
      throw new ContractError(`${this.path} has ${this.#bufferedBytes} bytes to write: await ready() between appends`)
    }
    this.#pending.appendFrames(frames, this.bytes)
    this.bytes += frames.length
    if (this.#bufferedBytes >= eagerBytes) this.#writeEagerly()
  }

  async ready(): Promise<void> {
    this.#check()
    while (this.#bufferedBytes >= writeBytes) {
      this.#writeEagerly()
      await this.#work
      this.#check()
    }
  }

  get writtenBytes(): number {
    return this.#writtenBytes
  }

  async read(offset: number): Promise<Uint8Array> {
    const pending = this.#pending.read(offset)
    if (pending !== null) return pending
    if (this.#closed) throw new ContractError(`${this.path} is closed`)
    const end = this.#writtenBytes - offset
    const first = await this.#file.read(offset, Math.max(0, Math.min(4096, end)))
    let frame = parseFrame(first, 0, offset)
    if (typeof frame === 'number' && frame <= end) frame = parseFrame(await this.#file.read(offset, frame), 0, offset)
    if (frame === null || typeof frame === 'number') throw corrupt(this.path, offset, 'no whole frame begins there')
    return frame
  }

  async flush(): Promise<void> {
    this.#check()
    if (this.#durableBytes === this.bytes) return
    if (this.#queuedFlush === null) {
      this.#queuedFlush = this.#enqueue(() => {
        // Later callers may append after this pass: they queue the next one.
        this.#queuedFlush = null
        return this.#write(true)
      })
    }
    await this.#queuedFlush
    this.#check()
  }

  async close(): Promise<void> {
    if (this.#closed) return
    try {
      if (this.#failure === null) await this.flush()
      await this.#work
    } finally {
      this.#closed = true
      await this.#file.close()
    }
  }

  get #bufferedBytes(): number {
    return this.bytes - this.#writtenBytes
  }

  #writeEagerly(): void {
    this.#eager ??= this.#enqueue(() => {
      this.#eager = null
      return this.#write(false)
    })
  }

  #enqueue(step: () => Promise<void>): Promise<void> {
    const done = this.#work.then(async () => {
      if (this.#failure === null) await step()
    })
    this.#work = done.catch((error) => this.#fail(error))
    return this.#work
  }

  async #write(sync: boolean): Promise<void> {
    const untilBytes = this.bytes
    while (this.#writtenBytes < untilBytes) {
      const frames = this.#pending.oldest()
      if (frames === null) break
      if (this.#writtenBytes + frames.length - this.#durableBytes > unsyncedBytesMax) await this.#sync()
      await this.#file.write(frames)
      this.#pending.removeOldest()
      this.#writtenBytes += frames.length
    }
    if (sync) await this.#sync()
  }

  async #sync(): Promise<void> {
    const writtenBytes = this.#writtenBytes
    await this.#file.fsync()
    this.#durableBytes = writtenBytes
  }

  /**
   * After a failure nothing more is written: valid frames must not follow an incomplete one. A failed fsync is final
   * too, since the kernel may have dropped the pages, and a second fsync would succeed.
   */
  async #fail(error: unknown): Promise<void> {
    this.#failure = error
    try {
      await this.#file.truncate(this.#writtenBytes)
    } catch (also) {
      const [first, second] = [error, also].map((each) => errorMessage(each))
      this.#failure = new StorageError(say`${first} Its incomplete end remains until it is opened again: ${second}`, {
        cause: error,
        ...(error instanceof StorageError && { details: error.details }),
      })
    }
  }

  #check(): void {
    if (this.#failure !== null) throw this.#failure
    if (this.#closed) throw new ContractError(`${this.path} is closed`)
  }
}

/** Reading one segment of replies at an offset: of a log the entry there, of a pack the block there and the entry in it. */
import type { AppendLog } from '../core/append-log.js'
import type { FileLayer, OpenFile } from '../core/files.js'
import { frameHeadBytes, parseFrame } from '../core/frames.js'
import { CorruptFileError } from '../errors.js'
import { type Codec, entryKey, unpackFrame } from './reply-pack.js'

/**
 * Blocks kept decompressed, about 256 KiB each, over all packs of a store: replies are read again about as they were
 * written, by a few stages that are each at another place.
 */
const BLOCKS_KEPT_MAX = 16
/** First read of a frame: most replies fit. */
const READ_BYTES = 4096

/** A file of replies that can be read by offset. */
export interface Segment {
  /** Its place in the store. */
  readonly number: number
  readonly path: string
  /** Lies in the run's own directory. */
  readonly own: boolean
  /** The last block of the input that has an entry here; −1 for none. */
  lastBlock: number
  /** The entry of `key` at an offset that the index gave; null when the segment was closed meanwhile. */
  read(offset: number, key: Uint8Array): Promise<Uint8Array | null>
  /** Waits for reads under way. */
  close(): Promise<void>
}

interface SegmentOptions {
  readonly number: number
  readonly path: string
  readonly own: boolean
  readonly files: FileLayer
}

/** A log: the one that is written, given as `log`, or an older one. */
export function logSegment({ number, path, own, files, log }: SegmentOptions & { log?: AppendLog }): Segment {
  const file = log === undefined ? new SharedFile(files, path) : null
  const reads = new Set<Promise<unknown>>()
  let closing: Promise<void> | null = null
  const close = async () => {
    await Promise.allSettled(reads)
    await (file === null ? log?.close() : file.close())
  }
  return {
    number,
    path,
    own,
    lastBlock: -1,
    async read(offset) {
      if (closing !== null) return null
      const read = file === null ? (log as AppendLog).read(offset) : file.frame(offset)
      reads.add(read)
      try {
        return await read
      } finally {
        reads.delete(read)
      }
    },
    close() {
      closing ??= close()
      return closing
    },
  }
}

/** Decompressed blocks of all packs of a store, by place, the one read last at the end. */
export type PackCache = Map<string, Promise<Uint8Array[]>>

/** Empty. */
export function packCache(): PackCache {
  return new Map()
}

/** A closed, compressed segment; keeps the blocks read last decompressed, in `cache`. */
export function packSegment(options: SegmentOptions & { lastBlock: number; codec: Codec; cache: PackCache }): Segment {
  const { number, path, own, files, lastBlock, codec, cache } = options
  const file = new SharedFile(files, path)
  const block = (offset: number): Promise<Uint8Array[]> => {
    const place = `${number}:${offset}`
    const known = cache.get(place)
    const found =
      known ??
      file.frame(offset).then((frame) => {
        if (frame === null) throw new CorruptFileError(`${path} was closed while it was read`)
        return unpackFrame(frame, codec, path)
      })
    cache.delete(place)
    cache.set(place, found)
    for (const oldest of cache.keys()) {
      if (cache.size <= BLOCKS_KEPT_MAX) break
      cache.delete(oldest)
    }
    return found
  }
  return {
    number,
    path,
    own,
    lastBlock,
    async read(offset, key) {
      const entries = await block(offset)
      return entries.find((entry) => Buffer.compare(entryKey(entry), key) === 0) ?? null
    },
    close: () => file.close(),
  }
}

/** A file opened at its first read. */
class SharedFile {
  #opening: Promise<OpenFile> | null = null
  #closed = false
  readonly #reads = new Set<Promise<unknown>>()

  constructor(
    private readonly files: FileLayer,
    private readonly path: string,
  ) {}

  /** The frame's payload; null when the file was closed. */
  async frame(offset: number): Promise<Uint8Array | null> {
    if (this.#closed) return null
    const read = this.#read(offset)
    this.#reads.add(read)
    try {
      return await read
    } finally {
      this.#reads.delete(read)
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    await Promise.allSettled(this.#reads)
    if (this.#opening !== null) await (await this.#opening).close()
    this.#opening = null
  }

  async #read(offset: number): Promise<Uint8Array> {
    this.#opening ??= this.files.open(this.path, 'read')
    const file = await this.#opening
    const start = await file.read(offset, READ_BYTES)
    let frame = parseFrame(start, 0)
    if (typeof frame === 'number' && start.length >= frameHeadBytes)
      frame = parseFrame(await file.read(offset, frame), 0)
    if (frame === null || typeof frame === 'number') {
      throw new CorruptFileError(`${this.path} holds no whole reply at byte ${offset}, where one was written`)
    }
    return frame
  }
}

/** Reads entries of one segment by offset: of a log directly, of a pack from the block at that offset. */

import { limitConcurrent, openFilesMax } from '../../core/concurrent.js'
import { CorruptFileError } from '../../errors.js'
import { say } from '../../language/say.js'
import type { AppendLog } from '../append-log.js'
import type { FileLayer } from '../files.js'
import { frameHeadBytes, parseFrame } from '../frames.js'
import { type Codec, entryKey, unpackFrame } from './reply-pack.js'

/**
 * Decompressed blocks in the cache of a store, about 256 KiB each: replies are read in about the order in which they
 * were written, by a few stages at different positions.
 */
const blocksKeptMax = 16
/** Bytes of the first read of a frame: most replies fit. */
const readBytes = 4096

/** A file of replies. */
export interface Segment {
  /** Its index in the store. */
  readonly number: number
  readonly path: string
  /** Whether it is in the run's own directory. */
  readonly own: boolean
  /** Highest input block with an entry; −1 if there is none. */
  lastBlock: number
  /** Returns the entry of `key` at an offset of the index; null if the segment was closed meanwhile. */
  read(offset: number, key: Uint8Array): Promise<Uint8Array | null>
  /** Closes the segment after pending reads. */
  close(): Promise<void>
}

interface SegmentOptions {
  readonly number: number
  readonly path: string
  readonly own: boolean
  readonly files: FileLayer
}

/** Opens a log: the current one, passed as `log`, or an older one. */
export function logSegment({ number, path, own, files, log }: SegmentOptions & { log?: AppendLog }): Segment {
  const entries = new SegmentReader((offset) => (log === undefined ? frameAt(files, path, offset) : log.read(offset)))
  return {
    number,
    path,
    own,
    lastBlock: -1,
    read: (offset) => entries.read(offset),
    close: () => entries.close(async () => log?.close()),
  }
}

/** Decompressed blocks of all packs of a store, by place, the one read last at the end. */
export type PackCache = Map<string, Promise<Uint8Array[] | null>>

/** Empty. */
export function packCache(): PackCache {
  return new Map()
}

/** A closed, compressed segment; keeps the blocks read last decompressed, in `cache`. */
export function packSegment(options: SegmentOptions & { lastBlock: number; codec: Codec; cache: PackCache }): Segment {
  const { number, path, own, files, lastBlock, codec, cache } = options
  const blocks = new SegmentReader(async (offset) => unpackFrame(await frameAt(files, path, offset), codec, path))
  const block = (offset: number): Promise<Uint8Array[] | null> => {
    const place = `${number}:${offset}`
    const found = cache.get(place) ?? blocks.read(offset)
    cache.delete(place)
    cache.set(place, found)
    for (const oldest of cache.keys()) {
      if (cache.size <= blocksKeptMax) break
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
      return entries?.find((entry) => Buffer.compare(entryKey(entry), key) === 0) ?? null
    },
    close: () => blocks.close(),
  }
}

/** Reads of one segment until it is closed; closing waits for pending reads. */
class SegmentReader<T> {
  readonly #readAt: (offset: number) => Promise<T>
  readonly #underWay = new Set<Promise<T>>()
  #closing: Promise<void> | null = null

  constructor(readAt: (offset: number) => Promise<T>) {
    this.#readAt = readAt
  }

  /** Null once the segment is closed. */
  async read(offset: number): Promise<T | null> {
    if (this.#closing !== null) return null
    const read = this.#readAt(offset)
    this.#underWay.add(read)
    try {
      return await read
    } finally {
      this.#underWay.delete(read)
    }
  }

  close(closed: () => Promise<void> = async () => {}): Promise<void> {
    this.#closing ??= Promise.allSettled(this.#underWay).then(closed)
    return this.#closing
  }
}

/** Limits the files open for reading: thousands of records may look up replies concurrently. */
const openedForReading = limitConcurrent(openFilesMax)

/** Reads the payload of one frame. Opens the file for each read: a long run has more segments than a process may open. */
function frameAt(files: FileLayer, path: string, offset: number): Promise<Uint8Array> {
  return openedForReading(() => readFrameAt(files, path, offset))
}

async function readFrameAt(files: FileLayer, path: string, offset: number): Promise<Uint8Array> {
  const file = await files.open(path, 'read')
  try {
    const start = await file.read(offset, readBytes)
    let frame = parseFrame(start, 0, offset)
    if (typeof frame === 'number' && start.length >= frameHeadBytes) {
      frame = parseFrame(await file.read(offset, frame), 0, offset)
    }
    if (frame === null || typeof frame === 'number') {
      throw new CorruptFileError(say`${path} has no valid reply at byte ${offset}, where one was written`)
    }
    return frame
  } finally {
    await file.close()
  }
}

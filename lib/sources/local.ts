/** Shards on disk and on standard input: what they are called, what pins them, how their bytes are read. */
import { createHash } from 'node:crypto'
import { constants, type Stats } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { relative, sep } from 'node:path'
import { addAbortSignal, type Readable } from 'node:stream'
import { mapConcurrent, openFilesMax } from '../core/concurrent.js'
import { storageError } from '../core/files.js'
import {
  InvalidOptionError,
  KunStreamError,
  ShardChangedError,
  ShardFormatError,
  SourceNotFoundError,
  StorageError,
} from '../errors.js'
import type { FieldMapping } from '../text/mapping.js'
import { faultyShard } from './fault.js'
import { type FilePlace, placeKey } from './file-name.js'
import { type FoundFile, faultOfPath, listFiles, lookAt, pathError } from './listing.js'
import type { Shard, ShardFault } from './types.js'

export interface LocalSource {
  readonly split: string
  /** Directory that relative globs start from: that of the recipe, or the working directory. */
  readonly root: string
  /** Globs; a leading '!' takes files out. */
  readonly files: readonly string[]
  readonly mapping: FieldMapping
}

/** Bytes asked of the disk at once. */
const readBytes = 1024 * 1024

/** Bytes of a sample, and samples between the first and the last, that pin a file's content. */
const sampleBytes = 64 * 1024
const samplesBetween = 6

/**
 * The files that the globs find, sorted by code unit of their path, each once. What cannot be read (a link to nothing, no
 * permission, not a regular file, nothing in it) is a shard with a fault: one reject.
 *
 * `path` is relative to the directory that all globs share before their first wildcard:
 * `fixtures/skypile/**\/*.jsonl` gives `data/x.jsonl`. It does not depend on `root` or on what is found.
 * @throws {SourceNotFoundError} a glob finds nothing, or nothing that can be read
 * @throws {StorageError} the system fails (an error of the device, too many open files): resumable
 */
export async function localShards({ split, root, files, mapping }: LocalSource): Promise<Shard[]> {
  const { files: listed, base } = await listFiles(root, files)
  if (listed.length === 0) {
    throw new SourceNotFoundError(
      `${files.join(', ')}: every file that fits is taken out by a pattern that begins with '!'`,
    )
  }
  const found = listed.map((each) => ({ ...each, key: placeKey(each.place) }))
  found.sort((a, b) => (a.key < b.key ? -1 : 1))
  const shards = await mapConcurrent(found, openFilesMax, (each) => fileShard(each, base, split, mapping))
  const first = shards.find(({ fault }) => fault != null)
  if (first?.fault && shards.every(({ fault }) => fault != null && fault.reason !== 'shard-empty')) {
    throw new SourceNotFoundError(
      `none of the files that fit ${files.join(', ')} can be read (${shards.length} found): ${first.path}: ${first.fault.detail}`,
    )
  }
  return withOwnPaths(shards).sort((a, b) => (a.path < b.path ? -1 : 1))
}

/** Two names can be shown alike where one is not UTF-8 and the other has its escape; ids need each its own. */
function withOwnPaths(shards: readonly Shard[]): Shard[] {
  const taken = new Set<string>()
  return shards.map((shard) => {
    let path = shard.path
    while (taken.has(path)) path += '~'
    taken.add(path)
    return path === shard.path ? shard : { ...shard, path }
  })
}

async function fileShard(
  { place, fault: known }: FoundFile,
  base: string,
  split: string,
  mapping: FieldMapping,
): Promise<Shard> {
  const path = relative(base, place.shown).split(sep).join('/')
  const identity = known === null ? await identityOf(place) : { fault: known }
  if ('fault' in identity) return faultyShard({ split, path, mapping, fault: identity.fault })
  const { size, version } = identity
  return {
    split,
    path,
    sizeBytes: size,
    version,
    mapping,
    open: (offset, signal) => readFrom(place, offset, size, signal),
    read: (offset, lengthBytes, signal) => readRange(place, offset, lengthBytes, signal),
  }
}

async function identityOf(
  place: FilePlace,
): Promise<{ readonly size: number; readonly version: string } | { readonly fault: ShardFault }> {
  const there = await lookAt(place, stat)
  if ('code' in there) return { fault: faultOfPath(there.code) }
  const { stats } = there
  if (!stats.isFile()) return { fault: { reason: 'shard-unreadable', detail: `it is ${kindOf(stats)}` } }
  if (stats.size === 0) return { fault: { reason: 'shard-empty', detail: 'the file has 0 bytes' } }
  try {
    return { size: stats.size, version: await fileVersion(place, stats.size) }
  } catch (error) {
    if (error instanceof KunStreamError) throw error
    return { fault: faultOfPath(pathError('read', place, error)) }
  }
}

function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return 'a directory'
  if (stats.isFIFO()) return 'a named pipe: write it to a file, or give it as standard input (files: "-")'
  return stats.isSocket() ? 'a socket' : 'a device'
}

/** Hash over the size and samples of the content: 16 hexadecimal digits. Cheap for a terabyte; not a checksum. */
async function fileVersion(place: FilePlace, size: number): Promise<string> {
  const hash = createHash('sha256').update(String(size))
  const handle = await openFile(place)
  try {
    const last = Math.max(0, size - sampleBytes)
    const offsets = Array.from({ length: samplesBetween + 2 }, (_, sample) =>
      Math.floor((last * sample) / (samplesBetween + 1)),
    )
    for (const offset of new Set(offsets)) {
      hash.update(await fill(handle, offset, Math.min(sampleBytes, size - offset), place.shown))
    }
  } finally {
    await handle.close()
  }
  return hash.digest('hex').slice(0, 16)
}

/** Never waits: what became a named pipe since it was looked at is opened, and ends at once. */
function openFile({ raw }: FilePlace): Promise<FileHandle> {
  return open(raw, constants.O_RDONLY | constants.O_NONBLOCK)
}

/** For reading: what the listing found is there, so that a refusal now is trouble of this moment. */
async function openListed(place: FilePlace): Promise<FileHandle> {
  try {
    return await openFile(place)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw storageError('open', place.shown, error)
    throw new StorageError(
      `${place.shown} was there when the run listed its files and is gone (ENOENT). Put it back, or run the same ` +
        'command again: a file of which no committed block was read is taken out then',
      { cause: error, details: { errno: 'ENOENT', operation: 'open', path: place.shown } },
    )
  }
}

async function* readFrom(
  place: FilePlace,
  start: number,
  size: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  signal.throwIfAborted()
  const handle = await openListed(place)
  try {
    let offset = start
    const chunk = Buffer.allocUnsafeSlow(Math.max(0, Math.min(readBytes, size - offset)))
    while (offset < size) {
      signal.throwIfAborted()
      const bytesRead = await readAt(handle, chunk, 0, Math.min(chunk.byteLength, size - offset), offset, place.shown)
      if (bytesRead === 0) throw shorter(place.shown, offset, size)
      offset += bytesRead
      yield chunk.subarray(0, bytesRead)
    }
  } finally {
    await handle.close()
  }
}

async function readRange(
  place: FilePlace,
  offset: number,
  lengthBytes: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  signal.throwIfAborted()
  const handle = await openListed(place)
  try {
    return await fill(handle, offset, lengthBytes, place.shown)
  } finally {
    await handle.close()
  }
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

/** @throws {StorageError} the device or the network failed: a passing trouble, never a verdict on the shard */
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
    const { message, details } = storageError('read', file, error)
    const advice = "Where only this file is affected, take it out with '!' and its name in `files`"
    throw new StorageError(`${message} ${advice}`, { cause: error, details })
  }
}

function shorter(file: string, found: number, expected: number): ShardChangedError {
  return new ShardChangedError(`${file} ends at byte ${found}, ${expected} were there: it was changed while being read`)
}

export interface StdinSource {
  readonly split: string
  readonly mapping: FieldMapping
  /** `process.stdin` in the command. */
  readonly input: Readable
}

/**
 * Standard input as one shard, path '-'. It can be read once and from its start only: a run over it cannot be
 * resumed, and Parquet, which is read from its end, cannot come this way.
 */
export function stdinShard({ split, mapping, input }: StdinSource): Shard {
  return {
    split,
    path: '-',
    sizeBytes: null,
    version: null,
    mapping,
    open(offset, signal) {
      if (offset === 0) return addAbortSignal(signal, input)
      throw new InvalidOptionError('standard input cannot be read again: a run over it does not resume. Start it anew')
    },
    async read() {
      throw new ShardFormatError('standard input cannot be read from its end, as Parquet is: give the file instead')
    },
  }
}

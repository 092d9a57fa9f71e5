/** Shards on disk and on standard input: what they are called and which can be read. Reading one is local-file.ts. */
import type { Stats } from 'node:fs'
import { stat } from 'node:fs/promises'
import { relative, sep } from 'node:path'
import { addAbortSignal, type Readable } from 'node:stream'
import { mapConcurrent, openFilesMax } from '../core/concurrent.js'
import { InvalidOptionError, KunStreamError, ShardFormatError, SourceNotFoundError } from '../errors.js'
import type { FieldMapping } from '../text/mapping.js'
import { type FilePlace, placeKey } from './file-name.js'
import { type FoundFile, listFiles, lookAt, pathError, rejectOfPath } from './listing.js'
import { LocalFile } from './local-file.js'
import { rejectedShard } from './rejected-shard.js'
import type { Shard, ShardReject } from './shard.js'

export interface LocalSource {
  readonly split: string
  /** Directory that relative globs start from: that of the recipe, or the working directory. */
  readonly root: string
  /** Globs; a leading '!' takes files out. */
  readonly files: readonly string[]
  readonly mapping: FieldMapping
}

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
  if ('fault' in identity) return rejectedShard({ split, path, mapping, fault: identity.fault })
  const { file } = identity
  return {
    split,
    path,
    sizeBytes: file.sizeBytes,
    version: file.version,
    mapping,
    stamp: () => file.stamp(),
    open: (offset, signal) => file.stream(offset, signal),
    read: (offset, lengthBytes, signal) => file.read(offset, lengthBytes, signal),
  }
}

async function identityOf(place: FilePlace): Promise<{ readonly file: LocalFile } | { readonly fault: ShardReject }> {
  const there = await lookAt(place, stat)
  if ('code' in there) return { fault: rejectOfPath(there.code) }
  const { stats } = there
  if (!stats.isFile()) return { fault: { reason: 'shard-unreadable', detail: `it is ${kindOf(stats)}` } }
  if (stats.size === 0) return { fault: { reason: 'shard-empty', detail: 'the file has 0 bytes' } }
  try {
    return { file: await LocalFile.open(place) }
  } catch (error) {
    if (error instanceof KunStreamError) throw error
    return { fault: rejectOfPath(pathError('read', place, error)) }
  }
}

function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return 'a directory'
  if (stats.isFIFO()) return 'a named pipe: write it to a file, or give it as standard input (files: "-")'
  return stats.isSocket() ? 'a socket' : 'a device'
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

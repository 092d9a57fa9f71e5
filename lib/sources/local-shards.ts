/** Shards on disk and on standard input: their paths, and which can be read. local-file.ts reads one. */

import type { Stats } from 'node:fs'
import { stat } from 'node:fs/promises'
import { relative, sep } from 'node:path'
import { addAbortSignal, type Readable } from 'node:stream'
import { mapConcurrent, openFilesMax } from '../core/concurrent.js'
import { InvalidOptionError, KunStreamError, ShardFormatError, SourceNotFoundError } from '../errors.js'
import { listText } from '../language/list-text.js'
import { say } from '../language/say.js'
import type { FieldMapping } from '../text/mapping.js'
import { type FilePlace, placeKey } from './file-name.js'
import { type FoundFile, listFiles, lookAt, pathError, rejectOfPath } from './listing.js'
import { LocalFile } from './local-file.js'
import { rejectedShard } from './rejected-shard.js'
import type { Shard, ShardReject } from './shard.js'

export interface LocalSource {
  readonly split: string
  /** Directory of relative globs: that of the recipe, or the working directory. */
  readonly root: string
  /** Globs; a leading '!' excludes files. */
  readonly files: readonly string[]
  readonly mapping: FieldMapping
}

/**
 * Returns the files that match the globs, each once, sorted by the code units of their path. A file that cannot be read
 * (dangling link, no permission, not a regular file, empty) becomes a rejected shard.
 *
 * `path` is relative to the directory that all globs share before their first wildcard:
 * `fixtures/skypile/**\/*.jsonl` gives `data/x.jsonl`. It does not depend on `root` or on which files exist.
 * @throws {SourceNotFoundError} a glob matches nothing, or nothing that can be read
 * @throws {StorageError} the system fails (device error, too many open files): resumable
 */
export async function localShards({ split, root, files, mapping }: LocalSource): Promise<Shard[]> {
  const { files: listed, base } = await listFiles(root, files)
  if (listed.length === 0) {
    throw new SourceNotFoundError(
      say`${listText(files)}: every file that matches is excluded by a pattern that begins with '!'`,
    )
  }
  const found = listed.map((each) => ({ ...each, key: placeKey(each.place) }))
  found.sort((a, b) => (a.key < b.key ? -1 : 1))
  const shards = await mapConcurrent(found, openFilesMax, (each) => fileShard(each, base, split, mapping))
  const first = shards.find(({ reject }) => reject != null)
  if (first?.reject && shards.every(({ reject }) => reject != null && reject.reason !== 'shard-empty')) {
    throw new SourceNotFoundError(
      say`none of the files that match ${listText(files)} can be read (${shards.length} found):
        ${first.path}: ${first.reject.detail}`,
    )
  }
  return withUniquePaths(shards).sort((a, b) => (a.path < b.path ? -1 : 1))
}

/** Makes paths unique: a name that is not UTF-8 may be shown as another name that contains its escape. */
function withUniquePaths(shards: readonly Shard[]): Shard[] {
  const taken = new Set<string>()
  return shards.map((shard) => {
    let path = shard.path
    while (taken.has(path)) path += '~'
    taken.add(path)
    return path === shard.path ? shard : { ...shard, path }
  })
}

async function fileShard(
  { place, reject: known }: FoundFile,
  base: string,
  split: string,
  mapping: FieldMapping,
): Promise<Shard> {
  const path = relative(base, place.shown).split(sep).join('/')
  const identity = known === null ? await identityOf(place) : { reject: known }
  if ('reject' in identity) return rejectedShard({ split, path, mapping, reject: identity.reject })
  const { file } = identity
  return { split, path, mapping, ...file.access() }
}

async function identityOf(place: FilePlace): Promise<{ readonly file: LocalFile } | { readonly reject: ShardReject }> {
  const there = await lookAt(place, stat)
  if ('code' in there) return { reject: rejectOfPath(there.code) }
  const { stats } = there
  if (!stats.isFile()) return { reject: { reason: 'shard-unreadable', detail: `it is ${kindOf(stats)}` } }
  if (stats.size === 0) return { reject: { reason: 'shard-empty', detail: 'the file has 0 bytes' } }
  try {
    return { file: await LocalFile.open(place) }
  } catch (error) {
    if (error instanceof KunStreamError) throw error
    return { reject: rejectOfPath(pathError('read', place, error)) }
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
 * Returns standard input as one shard with the path '-'. It can be read once, from its start: a run over it cannot be
 * resumed, and Parquet, which is read from its end, is not supported.
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
      throw new InvalidOptionError(
        say`standard input cannot be read again, so this run cannot be resumed: start it over`,
      )
    },
    async read() {
      throw new ShardFormatError(say`Parquet cannot be read from standard input: give the file instead`)
    },
  }
}

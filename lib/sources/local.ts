/** Shards on disk and on standard input: what they are called, what pins them, how their bytes are read. */
import { createHash } from 'node:crypto'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { dirname, relative, resolve, sep } from 'node:path'
import { addAbortSignal, type Readable } from 'node:stream'
import { glob, isDynamicPattern } from 'tinyglobby'
import { InvalidOptionError, ShardChangedError, ShardFormatError, SourceNotFoundError } from '../errors.js'
import type { FieldMapping } from '../text/mapping.js'
import type { Shard } from './types.js'

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
 * The files that the globs find, sorted by code unit of their path, each once.
 *
 * `path` is relative to the directory that all globs share before their first wildcard:
 * `fixtures/skypile/**\/*.jsonl` gives `data/x.jsonl`. It does not depend on `root` or on what is found.
 * @throws {SourceNotFoundError} a glob finds nothing
 */
export async function localShards({ split, root, files, mapping }: LocalSource): Promise<Shard[]> {
  const base = sharedBase(root, files)
  const found = new Set<string>()
  const excluded = files.filter((pattern) => pattern.startsWith('!'))
  for (const pattern of files.filter((each) => !each.startsWith('!'))) {
    const paths = await glob([pattern, ...excluded], { cwd: root, absolute: true, expandDirectories: false })
    if (paths.length === 0) {
      throw new SourceNotFoundError(
        `no file fits ${pattern} in ${resolve(root)}: check the path` +
          (isDynamicPattern(pattern) ? '' : `, or name a pattern such as ${pattern}/**/*.jsonl`),
      )
    }
    for (const path of paths) found.add(path)
  }
  const shards = await Promise.all([...found].map((file) => fileShard(file, base, split, mapping)))
  return shards.sort((a, b) => (a.path < b.path ? -1 : 1))
}

/** The deepest directory above the static parts of all globs. */
function sharedBase(root: string, files: readonly string[]): string {
  const directories = files
    .filter((pattern) => !pattern.startsWith('!'))
    .map((pattern) => resolve(root, staticPart(pattern)).split(sep))
  const [first, ...others] = directories
  if (first === undefined) {
    throw new SourceNotFoundError('no glob says which files to read: give at least one in `files`')
  }
  let shared = first
  for (const steps of others) {
    const differs = shared.findIndex((step, level) => step !== steps[level])
    if (differs !== -1) shared = shared.slice(0, differs)
  }
  return shared.join(sep) || sep
}

/** The directory before the first wildcard; that of the file where there is none. */
function staticPart(pattern: string): string {
  const parts = pattern.split('/')
  const wild = parts.findIndex((part) => isDynamicPattern(part))
  if (wild === -1) return dirname(pattern)
  return parts.slice(0, wild).join('/') || (pattern.startsWith('/') ? '/' : '.')
}

async function fileShard(file: string, base: string, split: string, mapping: FieldMapping): Promise<Shard> {
  const { size } = await stat(file)
  const path = relative(base, file).split(sep).join('/')
  return {
    split,
    path,
    sizeBytes: size,
    version: await fileVersion(file, size),
    mapping,
    open: (offset, signal) => readFrom(file, offset, size, signal),
    read: (offset, lengthBytes, signal) => readRange(file, offset, lengthBytes, signal),
  }
}

/** Hash over the size and samples of the content: 16 hexadecimal digits. Cheap for a terabyte; not a checksum. */
async function fileVersion(file: string, size: number): Promise<string> {
  const hash = createHash('sha256').update(String(size))
  const handle = await open(file, 'r')
  try {
    const last = Math.max(0, size - sampleBytes)
    const offsets = Array.from({ length: samplesBetween + 2 }, (_, sample) =>
      Math.floor((last * sample) / (samplesBetween + 1)),
    )
    for (const offset of new Set(offsets)) hash.update(await fill(handle, offset, Math.min(sampleBytes, size - offset)))
  } finally {
    await handle.close()
  }
  return hash.digest('hex').slice(0, 16)
}

async function* readFrom(
  file: string,
  start: number,
  size: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  signal.throwIfAborted()
  const handle = await open(file, 'r')
  try {
    let offset = start
    const chunk = Buffer.allocUnsafeSlow(Math.max(0, Math.min(readBytes, size - offset)))
    while (offset < size) {
      signal.throwIfAborted()
      const { bytesRead } = await handle.read(chunk, 0, Math.min(chunk.byteLength, size - offset), offset)
      if (bytesRead === 0) throw shorter(file, offset, size)
      offset += bytesRead
      yield chunk.subarray(0, bytesRead)
    }
  } finally {
    await handle.close()
  }
}

async function readRange(file: string, offset: number, lengthBytes: number, signal: AbortSignal): Promise<Uint8Array> {
  signal.throwIfAborted()
  const handle = await open(file, 'r')
  try {
    return await fill(handle, offset, lengthBytes, file)
  } finally {
    await handle.close()
  }
}

async function fill(handle: FileHandle, offset: number, lengthBytes: number, file = ''): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafeSlow(lengthBytes)
  let filled = 0
  while (filled < lengthBytes) {
    const { bytesRead } = await handle.read(bytes, filled, lengthBytes - filled, offset + filled)
    if (bytesRead === 0) throw shorter(file, offset + filled, offset + lengthBytes)
    filled += bytesRead
  }
  return bytes
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

/**
 * Lists the files on disk that globs match. No match is skipped silently: dangling links, directories that cannot be
 * listed and names that are not UTF-8 are entries like any other. local-shards.ts determines the type of an entry.
 */
import type { Stats } from 'node:fs'
import { lstat, readdir, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { errorCode } from '../caught-error.js'
import { SourceNotFoundError } from '../errors.js'
import { say } from '../language/say.js'
import { storageError } from '../storage/files.js'
import { type FilePlace, placeIn, placeKey } from './file-name.js'
import { compilePatterns, type Glob, isMatchedBy } from './globs.js'
import type { ShardReject } from './shard.js'

export interface FoundFile {
  readonly place: FilePlace
  /** Why it is rejected; null if that is not known yet. */
  readonly reject: ShardReject | null
}

interface Listing {
  /** Each once, in no particular order. */
  readonly files: readonly FoundFile[]
  /** The deepest directory that all patterns share before their first wildcard. */
  readonly base: string
}

/** Names of shards. A directory with such a name is an entry; any other directory is only searched. */
const shardName = /\.(jsonl|json|ndjson|txt|parquet|tar|tgz|txz|gz|zst|bz2|xz|zip|7z)$/i

/** Errors caused by a path, which reject it. Any other error is a failure of the system and stops the listing. */
const pathErrors: Readonly<Record<string, string>> = {
  ENOENT: 'there is nothing at that path',
  ENOTDIR: 'a part of the path is not a directory',
  ELOOP: 'the link leads to itself',
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  ENAMETOOLONG: 'the name is too long',
}

/**
 * @param root directory of relative patterns
 * @param patterns globs; a leading '!' excludes files or directories
 * @throws {SourceNotFoundError} a pattern matches nothing
 * @throws {StorageError} the system cannot list a directory now: resumable
 */
export async function listFiles(root: string, patterns: readonly string[]): Promise<Listing> {
  const { included: globs, excluded } = compilePatterns(patterns, root)
  if (globs.length === 0) throw new SourceNotFoundError(say`no glob is given: name the files to read in \`files\``)
  const found = new Map<string, FoundFile>()
  for (const glob of globs) {
    const search = new Search(glob, excluded, found)
    await search.run()
    if (search.matched === 0) throw nothingMatches(glob, root)
  }
  return { files: withoutSearched([...found.values()]), base: sharedBase(globs) }
}

function nothingMatches({ pattern, literal }: Glob, root: string): SourceNotFoundError {
  const where = resolve(root)
  if (literal === null) return new SourceNotFoundError(say`no file matches ${pattern} in ${where}: check the path`)
  return new SourceNotFoundError(
    say`no file matches ${pattern} in ${where}: check the path, or use a pattern such as ${`${pattern}/**/*.jsonl`}`,
  )
}

/** Removes directories named like a shard if files in them match: they are searched, not read. */
function withoutSearched(files: readonly FoundFile[]): FoundFile[] {
  const directories = files.filter(({ reject }) => reject?.detail === isDirectory)
  if (directories.length === 0) return [...files]
  const searched = new Set<FoundFile>()
  for (const directory of directories) {
    const start = `${placeKey(directory.place)}/`
    if (files.some(({ place }) => placeKey(place).startsWith(start))) searched.add(directory)
  }
  return files.filter((file) => !searched.has(file))
}

/** The deepest directory above the static parts of all globs. */
function sharedBase(globs: readonly Glob[]): string {
  const [first, ...others] = globs.map(({ base }) => base.split('/'))
  let shared = first as string[]
  for (const steps of others) {
    const differs = shared.findIndex((step, level) => step !== steps[level])
    if (differs !== -1) shared = shared.slice(0, differs)
  }
  return shared.join('/') || '/'
}

const isDirectory = 'it is a directory'

/** Searches for one pattern. Follows links to directories, except those that lead back to a directory being searched. */
class Search {
  /** Entries that match, including excluded ones. */
  matched = 0
  readonly #glob: Glob
  readonly #excluded: readonly Glob[]
  readonly #found: Map<string, FoundFile>

  constructor(glob: Glob, excluded: readonly Glob[], found: Map<string, FoundFile>) {
    this.#glob = glob
    this.#excluded = excluded
    this.#found = found
  }

  async run(): Promise<void> {
    const { base, literal } = this.#glob
    const start: FilePlace = { raw: base, shown: base }
    if (literal === null) return this.#directory(start, '', [])
    const place = placeIn(start, Buffer.from(literal))
    const there = await lookAt(place, lstat)
    if ('code' in there && (there.code === 'ENOENT' || there.code === 'ENOTDIR')) return
    // The path of a directory matches no file: the error message suggests a pattern.
    if ('stats' in there && there.stats.isDirectory()) return
    this.#add(place, null)
  }

  /** @param path of the directory, relative to the pattern's base, with '/'; '' for the base */
  async #directory(directory: FilePlace, path: string, above: readonly string[]): Promise<void> {
    const self = await lookAt(directory, stat)
    const identity = 'stats' in self ? `${self.stats.dev}:${self.stats.ino}` : ''
    if (above.includes(identity)) return
    const entries = await readdir(directory.raw, { withFileTypes: true, encoding: 'buffer' }).catch((error: unknown) =>
      pathError('list', directory, error),
    )
    if (typeof entries === 'string') {
      if (path === '') {
        if (entries === 'ENOENT' || entries === 'ENOTDIR') return
        throw new SourceNotFoundError(say`${directory.shown} cannot be listed: ${pathErrors[entries]} (${entries})`)
      }
      this.#add(directory, { reason: 'shard-unreadable', detail: `a directory that cannot be listed (${entries})` })
      return
    }
    for (const entry of entries) {
      const place = placeIn(directory, entry.name as unknown as Buffer)
      if (isMatchedBy(place.shown, this.#excluded)) {
        if (this.#glob.matches(joined(path, place))) this.matched++
        continue
      }
      await this.#entry(place, joined(path, place), entry, [...above, identity])
    }
  }

  async #entry(
    place: FilePlace,
    path: string,
    entry: { isDirectory(): boolean; isSymbolicLink(): boolean },
    above: readonly string[],
  ): Promise<void> {
    const there = entry.isSymbolicLink() ? await lookAt(place, stat) : null
    const directory = entry.isDirectory() || (there !== null && 'stats' in there && there.stats.isDirectory())
    if (directory) {
      if (this.#glob.mayMatchBelow(path)) await this.#directory(place, path, above)
      if (!shardName.test(path) || !this.#glob.matches(path)) return
      this.#add(place, { reason: 'shard-unreadable', detail: isDirectory })
    } else if (this.#glob.matches(path)) this.#add(place, null)
  }

  #add(place: FilePlace, reject: ShardReject | null): void {
    this.matched++
    if (isMatchedBy(place.shown, this.#excluded)) return
    const key = placeKey(place)
    if (!this.#found.has(key)) this.#found.set(key, { place, reject })
  }
}

function joined(path: string, { shown }: FilePlace): string {
  const name = shown.slice(shown.lastIndexOf('/') + 1)
  return path === '' ? name : `${path}/${name}`
}

/**
 * Returns the result of `lstat` or `stat`, or the error code if the path is the cause.
 *
 * @throws {StorageError} another cause
 */
export async function lookAt(
  place: FilePlace,
  look: (path: string | Buffer) => Promise<Stats>,
): Promise<{ readonly stats: Stats } | { readonly code: string }> {
  try {
    return { stats: await look(place.raw) }
  } catch (error) {
    return { code: pathError('look at', place, error) }
  }
}

/** Returns the code of an error caused by the path. @throws {StorageError} another cause */
export function pathError(operation: string, { shown }: FilePlace, error: unknown): string {
  const code = errorCode(error) ?? ''
  if (Object.hasOwn(pathErrors, code)) return code
  throw storageError(operation, shown, error)
}

/** Returns the reject for a path that cannot be examined or opened. */
export function rejectOfPath(code: string): ShardReject {
  const missing = code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP'
  return {
    reason: missing ? 'shard-missing' : 'shard-unreadable',
    detail: `${pathErrors[code] ?? 'refused'} (${code})`,
  }
}

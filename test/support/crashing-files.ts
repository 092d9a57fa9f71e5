/**
 * A disk in memory that can lose what was not fsynced. It keeps what the kernel shows, and what the disk is sure to
 * hold: bytes as of each file's last fsync, names as of each directory's. At a crash it throws away a seeded part of
 * the rest: writes since the last fsync, torn at any byte, and names since the directory's fsync.
 *
 * `kill` alone is a SIGKILL: nothing more happens, but the kernel keeps what it has, until a later crash.
 * `load` and `store` bring a real directory in and out.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { type DirectoryEntry, type FileLayer, type OpenFile, storageError } from '../../lib/storage/files.js'
import { Random } from './random.js'

/** 'all': every unsynced thing is lost · 'none': all reached the disk · a seed: a part of it. */
export type Loss = 'all' | 'none' | number

export class Killed extends Error {}

interface Inode {
  durable: Buffer
  live: Buffer
  /** Writes and truncations since the last fsync, in order. */
  pending: ({ at: number; bytes: Buffer } | { truncate: number })[]
}

interface Directory {
  durable: Map<string, Inode | Directory>
  live: Map<string, Inode | Directory>
  /** Names set (or unset, null) since the last fsync; each is atomic, any part of them may be lost. */
  pending: { names: readonly (readonly [string, Inode | Directory | null])[] }[]
}

export class CrashingFiles implements FileLayer {
  /** Operations so far. */
  operations = 0
  /** Called before each operation; throw via `kill()` to stop there. */
  onOperation: ((operation: string, path: string, number: number) => void) | null = null
  /** Operations that pretend: 'fsync' or 'fsyncDirectory' calls for which it answers true do nothing. */
  skip: (operation: string, path: string) => boolean = () => false
  #dead = false
  #root: Directory = emptyDirectory()

  /** Paths are below `rootPath`, which need not exist. */
  constructor(readonly rootPath: string) {}

  /** Takes what a real directory holds, as durable. */
  load(path: string): void {
    this.#root = load(path)
  }

  /** Writes what the kernel shows into a real directory. */
  store(path: string): void {
    store(this.#root, path)
  }

  /** Every file, by its path below the root. */
  contents(): Record<string, Buffer> {
    const found: Record<string, Buffer> = {}
    collect(this.#root, '', found)
    return found
  }

  /** From here on every operation fails and has no effect, as those of a dead process. */
  kill(): never {
    this.#dead = true
    throw new Killed('killed')
  }

  get dead(): boolean {
    return this.#dead
  }

  /** After a SIGKILL: another process finds what the kernel kept, part of it not on the disk yet. */
  revive(): void {
    this.#dead = false
  }

  /** Power is lost: what is found is what the disk may hold. Nothing of it is pending any more. */
  crash(loss: Loss): void {
    this.#dead = false
    const seeded = new Random(typeof loss === 'number' ? loss : 0)
    const random = typeof loss === 'number' ? () => seeded.next() : () => (loss === 'all' ? 1 : 0)
    this.#root = survivors(this.#root, random)
  }

  async open(path: string, mode: 'read' | 'create' | 'write' | 'append'): Promise<OpenFile> {
    this.#enter('open', path)
    const parent = this.#directory('open', dirname(path))
    let inode = parent.live.get(basename(path))
    if (inode !== undefined && isDirectory(inode)) throw refusal('open', path, 'EISDIR')
    if (inode !== undefined && mode === 'create') throw refusal('open', path, 'EEXIST')
    if (inode === undefined) {
      if (mode === 'read') throw refusal('open', path, 'ENOENT')
      inode = settled(Buffer.alloc(0))
      setNames(parent, [[basename(path), inode]])
    } else if (mode === 'write') truncate(inode, 0)
    return this.#opened(path, inode)
  }

  async rename(from: string, to: string): Promise<void> {
    this.#enter('rename', to)
    if (dirname(resolve(from)) !== dirname(resolve(to))) throw new Error('renames between directories are not modelled')
    const parent = this.#directory('rename', dirname(from))
    const node = parent.live.get(basename(from))
    if (node === undefined) throw refusal('rename', to, 'ENOENT')
    setNames(parent, [
      [basename(to), node],
      [basename(from), null],
    ])
  }

  async link(from: string, to: string): Promise<void> {
    this.#enter('link', to)
    const parent = this.#directory('link', dirname(to))
    const node = this.#find(dirname(from))?.live.get(basename(from))
    if (node === undefined) throw refusal('link', to, 'ENOENT')
    if (parent.live.has(basename(to))) throw refusal('link', to, 'EEXIST')
    setNames(parent, [[basename(to), node]])
  }

  async linkCount(path: string): Promise<number | null> {
    this.#enter('linkCount', path)
    const names = [...(this.#find(dirname(path))?.live.values() ?? [])]
    const node = this.#find(dirname(path))?.live.get(basename(path))
    return node === undefined ? null : names.filter((each) => each === node).length
  }

  async remove(path: string): Promise<void> {
    this.#enter('remove', path)
    const parent = this.#find(dirname(path))
    if (parent?.live.has(basename(path))) setNames(parent, [[basename(path), null]])
  }

  async makeDirectory(path: string): Promise<void> {
    this.#enter('makeDirectory', path)
    this.#find(path, true)
  }

  async list(path: string): Promise<string[]> {
    this.#enter('list', path)
    return [...(this.#find(path)?.live.keys() ?? [])].sort((a, b) => (a < b ? -1 : 1))
  }

  async listEntries(path: string): Promise<DirectoryEntry[]> {
    this.#enter('listEntries', path)
    return [...(this.#find(path)?.live ?? [])]
      .map(([name, node]) => ({ name, isDirectory: isDirectory(node) }))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  async sizeBytes(path: string): Promise<number | null> {
    this.#enter('sizeBytes', path)
    const node = this.#find(dirname(path))?.live.get(basename(path))
    return node === undefined
      ? resolve(path) === resolve(this.rootPath)
        ? 0
        : null
      : isDirectory(node)
        ? 0
        : node.live.length
  }

  /** All at one instant: this disk keeps no times. */
  async modifiedMs(path: string): Promise<number> {
    this.#enter('modifiedMs', path)
    return 0
  }

  async fsyncDirectory(path: string): Promise<void> {
    this.#enter('fsyncDirectory', path)
    if (this.skip('fsyncDirectory', path)) return
    const directory = this.#directory('fsyncDirectory', path)
    directory.durable = new Map(directory.live)
    directory.pending = []
  }

  #opened(path: string, inode: Inode): OpenFile {
    return {
      path,
      read: async (offset, length) => {
        this.#enter('read', path)
        return Buffer.from(inode.live.subarray(offset, offset + length))
      },
      write: async (bytes) => {
        this.#enter('write', path)
        inode.pending.push({ at: inode.live.length, bytes: Buffer.from(bytes) })
        inode.live = Buffer.concat([inode.live, bytes])
      },
      truncate: async (length) => {
        this.#enter('truncate', path)
        truncate(inode, length)
      },
      fsync: async () => {
        this.#enter('fsync', path)
        if (this.skip('fsync', path)) return
        inode.durable = inode.live
        inode.pending = []
      },
      close: async () => {
        // The system closes the files of a dead process.
        if (!this.#dead) this.#enter('close', path)
      },
    }
  }

  #enter(operation: string, path: string): void {
    if (this.#dead) throw new Killed(`${operation} ${path} after the kill`)
    this.operations++
    this.onOperation?.(operation, path, this.operations)
  }

  #directory(operation: string, path: string): Directory {
    const directory = this.#find(path)
    if (directory === null) throw refusal(operation, path, 'ENOENT')
    return directory
  }

  #find(path: string, make = false): Directory | null {
    let directory = this.#root
    const below = resolve(path).slice(resolve(this.rootPath).length)
    for (const name of below.split('/').filter((part) => part !== '')) {
      let next = directory.live.get(name)
      if (next === undefined && make) {
        next = emptyDirectory()
        setNames(directory, [[name, next]])
      }
      if (next === undefined || !isDirectory(next)) return null
      directory = next
    }
    return directory
  }
}

function refusal(operation: string, path: string, errno: string): Error {
  return storageError(operation, path, Object.assign(new Error(errno), { code: errno }))
}

function emptyDirectory(): Directory {
  return { durable: new Map(), live: new Map(), pending: [] }
}

function isDirectory(node: Inode | Directory): node is Directory {
  return node.live instanceof Map
}

function truncate(inode: Inode, lengthBytes: number): void {
  if (inode.live.length === lengthBytes) return
  inode.pending.push({ truncate: lengthBytes })
  const shorter = Buffer.alloc(lengthBytes)
  inode.live.copy(shorter)
  inode.live = shorter
}

function setNames(directory: Directory, names: readonly (readonly [string, Inode | Directory | null])[]): void {
  apply(directory.live, names)
  directory.pending.push({ names })
}

function apply(entries: Map<string, Inode | Directory>, names: Directory['pending'][number]['names']): void {
  for (const [name, node] of names) {
    if (node === null) entries.delete(name)
    else entries.set(name, node)
  }
}

/** `random() < 0.5` keeps a pending thing. */
function survivors(directory: Directory, random: () => number): Directory {
  const entries = new Map(directory.durable)
  for (const { names } of directory.pending) if (random() < 0.5) apply(entries, names)
  for (const [name, node] of entries) {
    entries.set(name, isDirectory(node) ? survivors(node, random) : settled(contentOf(node, random)))
  }
  return { durable: entries, live: new Map(entries), pending: [] }
}

/** Bytes with a part of the pending writes; what lies before a kept write and was lost reads as zeros. */
function contentOf({ durable, pending }: Inode, random: () => number): Buffer {
  let bytes = Buffer.from(durable)
  for (const change of pending) {
    const draw = random()
    if ('truncate' in change) {
      if (draw >= 0.5) continue
      const shorter = Buffer.alloc(change.truncate)
      bytes.copy(shorter)
      bytes = shorter
      continue
    }
    // A quarter of the writes is torn: at a byte, any byte.
    const kept = draw < 0.4 ? change.bytes.length : draw < 0.65 ? Math.floor(random() * change.bytes.length) : 0
    if (kept === 0) continue
    const longer = Buffer.alloc(Math.max(bytes.length, change.at + kept))
    bytes.copy(longer)
    change.bytes.copy(longer, change.at, 0, kept)
    bytes = longer
  }
  return bytes
}

function settled(bytes: Buffer): Inode {
  return { durable: bytes, live: bytes, pending: [] }
}

function load(path: string): Directory {
  const entries = new Map<string, Inode | Directory>()
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const below = join(path, entry.name)
    entries.set(entry.name, entry.isDirectory() ? load(below) : settled(readFileSync(below)))
  }
  return { durable: entries, live: new Map(entries), pending: [] }
}

function store(directory: Directory, path: string): void {
  mkdirSync(path, { recursive: true })
  for (const [name, node] of directory.live) {
    if (isDirectory(node)) store(node, join(path, name))
    else writeFileSync(join(path, name), node.live)
  }
}

function collect(directory: Directory, prefix: string, found: Record<string, Buffer>): void {
  for (const [name, node] of directory.live) {
    if (isDirectory(node)) collect(node, `${prefix}${name}/`, found)
    else found[prefix + name] = node.live
  }
}

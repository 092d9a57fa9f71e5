/** Listings of the simulated Hub: entries of a directory, sorted, in pages. */
import { createHash } from 'node:crypto'
import { lfsPointer, type StoredCommit, type StoredFile } from './store.js'

interface TreeEntry {
  readonly type: 'file' | 'directory'
  readonly oid: string
  readonly size: number
  readonly path: string
  readonly lfs?: { readonly oid: string; readonly size: number; readonly pointerSize: number }
  readonly xetHash?: string
}

/** Returns files and directories of a directory; with `recursive`, of all below it. Null if it does not exist. */
export function treeEntries(
  commit: StoredCommit,
  folder: string,
  recursive: boolean,
  xet: boolean,
): TreeEntry[] | null {
  const prefix = folder === '' ? '' : `${folder.replace(/\/$/, '')}/`
  const entries = new Map<string, TreeEntry>()
  for (const [path, file] of Object.entries(commit.tree)) {
    if (!path.startsWith(prefix)) continue
    const parts = path.slice(prefix.length).split('/')
    for (let depth = 1; depth < (recursive ? parts.length : Math.min(parts.length, 2)); depth++) {
      const name = prefix + parts.slice(0, depth).join('/')
      entries.set(name, { type: 'directory', oid: createHash('sha1').update(name).digest('hex'), size: 0, path: name })
    }
    if (recursive || parts.length === 1) entries.set(path, entryOf(path, file, xet))
  }
  if (entries.size === 0 && prefix !== '') return null
  return [...entries.values()].sort((a, b) => (a.path < b.path ? -1 : 1))
}

export function entryOf(path: string, file: StoredFile, xet: boolean): TreeEntry {
  const { oid, sizeBytes: size, sha256 } = file
  if (!file.lfs) return { type: 'file', oid, size, path }
  const lfs = { oid: sha256, size, pointerSize: lfsPointer(sha256, size).length }
  return { type: 'file', oid, size, path, lfs, ...(xet ? { xetHash: sha256 } : {}) }
}

/** The fault 'wrong-size': adds one byte. */
export function withWrongSize(entry: TreeEntry): TreeEntry {
  const { lfs, size } = entry
  return { ...entry, size: size + 1, ...(lfs === undefined ? {} : { lfs: { ...lfs, size: lfs.size + 1 } }) }
}

export function pageOf(
  entries: readonly TreeEntry[],
  cursor: string | null,
  pageEntries: number,
): { page: readonly TreeEntry[]; nextCursor: string | null } {
  const from = cursor === null ? 0 : Number(Buffer.from(cursor, 'base64url').toString())
  const page = entries.slice(from, from + pageEntries)
  const more = from + pageEntries < entries.length
  return { page, nextCursor: more ? Buffer.from(String(from + pageEntries)).toString('base64url') : null }
}

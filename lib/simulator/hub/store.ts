/**
 * The repositories of the simulated Hub on disk: contents by sha256, commits with parents and complete trees, branches.
 * access.ts decides on permissions.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

export interface StoredFile {
  /** Git's hash of the blob, or of the pointer for LFS files: 40 hexadecimal digits. */
  readonly oid: string
  readonly sizeBytes: number
  readonly sha256: string
  readonly lfs: boolean
}

export interface StoredCommit {
  readonly sha: string
  readonly parent: string | null
  readonly title: string
  readonly date: string
  readonly tree: Readonly<Record<string, StoredFile>>
}

export interface StoredRepo {
  readonly id: string
  private: boolean
  gated: false | 'auto' | 'manual'
  /** Users who were granted access to a gated repository. */
  granted: string[]
  /** Branch, tag or refs/pr/N → commit. */
  refs: Record<string, string>
  /** Pull requests that are no longer open, by number. */
  ended?: Record<string, 'merged' | 'closed'>
}

export type TreeChange =
  | { readonly path: string; readonly content: Uint8Array }
  | { readonly path: string; readonly sha256: string; readonly sizeBytes: number }
  | { readonly path: string; readonly deleted: true }

const sha256Pattern = /^[0-9a-f]{64}$/

export class HubStore {
  readonly #directory: string
  readonly #repos = new Map<string, StoredRepo>()
  readonly #commits = new Map<string, StoredCommit>()

  constructor(directory: string) {
    this.#directory = directory
    for (const folder of ['blobs', 'repos', 'commits']) makeDirectory(join(directory, folder))
    for (const name of readdirSync(join(directory, 'repos'))) {
      if (!name.endsWith('.json')) continue
      const repo = JSON.parse(readFileSync(join(directory, 'repos', name), 'utf8')) as StoredRepo
      this.#repos.set(repo.id, repo)
    }
  }

  repo(id: string): StoredRepo | undefined {
    return this.#repos.get(id)
  }

  repos(): StoredRepo[] {
    return [...this.#repos.values()]
  }

  create(id: string, options: { private?: boolean; gated?: StoredRepo['gated']; granted?: string[] } = {}): StoredRepo {
    const repo: StoredRepo = {
      id,
      private: options.private ?? false,
      gated: options.gated ?? false,
      granted: options.granted ?? [],
      refs: {},
    }
    this.#repos.set(id, repo)
    this.#append(repo, 'main', 'initial commit', {})
    return repo
  }

  /** Returns the commit of a branch, tag, `HEAD` or hash; undefined if there is none. */
  resolve(repo: StoredRepo, revision: string): StoredCommit | undefined {
    const sha = repo.refs[revision === 'HEAD' ? 'main' : revision] ?? revision
    return /^[0-9a-f]{40}$/.test(sha) ? this.#commit(sha) : undefined
  }

  commit(repo: StoredRepo, branch: string, title: string, changes: readonly TreeChange[]): StoredCommit {
    // Without a prototype: a path may be named __proto__.
    const tree: Record<string, StoredFile> = Object.assign(Object.create(null), this.resolve(repo, branch)?.tree)
    for (const change of changes) {
      if ('deleted' in change) delete tree[change.path]
      else if ('content' in change) tree[change.path] = this.#regular(change.content)
      else tree[change.path] = { ...change, oid: pointerOid(change.sha256, change.sizeBytes), lfs: true }
    }
    return this.#append(repo, branch, title, tree)
  }

  setRef(repo: StoredRepo, ref: string, sha: string): void {
    repo.refs[ref] = sha
    this.save(repo)
  }

  save(repo: StoredRepo): void {
    writeWhole(join(this.#directory, 'repos', `${repo.id.replace('/', '--')}.json`), JSON.stringify(repo, null, 2))
  }

  blobPath(sha256: string): string {
    if (!sha256Pattern.test(sha256)) throw new RangeError(`not a sha256: ${sha256}`)
    return join(this.#directory, 'blobs', sha256)
  }

  hasBlob(sha256: string, sizeBytes?: number): boolean {
    if (!sha256Pattern.test(sha256) || !existsSync(this.blobPath(sha256))) return false
    return sizeBytes === undefined || statSync(this.blobPath(sha256)).size === sizeBytes
  }

  /** Returns the path of an incomplete upload; `takeBlob` gives it its final name. */
  temporaryPath(name: string): string {
    const path = join(this.#directory, 'uploads', name)
    makeDirectory(dirname(path))
    return path
  }

  takeBlob(temporary: string, sha256: string): void {
    renameSync(temporary, this.blobPath(sha256))
  }

  putBlob(content: Uint8Array): string {
    const sha256 = createHash('sha256').update(content).digest('hex')
    if (!this.hasBlob(sha256)) writeWhole(this.blobPath(sha256), content)
    return sha256
  }

  storedBytes(): number {
    const folder = join(this.#directory, 'blobs')
    return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)
  }

  #regular(content: Uint8Array): StoredFile {
    const oid = createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex')
    return { oid, sizeBytes: content.length, sha256: this.putBlob(content), lfs: false }
  }

  #append(repo: StoredRepo, branch: string, title: string, tree: Record<string, StoredFile>): StoredCommit {
    const parent = repo.refs[branch] ?? null
    const date = new Date().toISOString()
    const sha = createHash('sha1')
      .update(JSON.stringify([repo.id, parent, title, date, tree, process.hrtime.bigint().toString()]))
      .digest('hex')
    const commit: StoredCommit = { sha, parent, title, date, tree }
    writeWhole(join(this.#directory, 'commits', `${sha}.json`), JSON.stringify(commit))
    this.#commits.set(sha, commit)
    this.setRef(repo, branch, sha)
    return commit
  }

  #commit(sha: string): StoredCommit | undefined {
    const path = join(this.#directory, 'commits', `${sha}.json`)
    if (!this.#commits.has(sha) && existsSync(path)) {
      this.#commits.set(sha, JSON.parse(readFileSync(path, 'utf8')) as StoredCommit)
    }
    return this.#commits.get(sha)
  }
}

/** Returns the text that Git stores in place of an LFS file. */
export function lfsPointer(sha256: string, sizeBytes: number): string {
  return `version https://git-lfs.github.com/spec/v1\noid sha256:${sha256}\nsize ${sizeBytes}\n`
}

function pointerOid(sha256: string, sizeBytes: number): string {
  const pointer = lfsPointer(sha256, sizeBytes)
  return createHash('sha1').update(`blob ${pointer.length}\0${pointer}`).digest('hex')
}

function writeWhole(path: string, content: string | Uint8Array): void {
  writeFileSync(`${path}.part`, content)
  renameSync(`${path}.part`, path)
}

/** Not `recursive: true`: Node loops forever if an existing parent refuses with ENOENT, as in /proc. */
function makeDirectory(path: string): void {
  if (existsSync(path)) return
  if (path !== dirname(path)) makeDirectory(dirname(path))
  mkdirSync(path)
}

/**
 * A simulated Hugging Face Hub on loopback: datasets, commits, LFS, and a file server with another host name. The real
 * clients (JavaScript, Python) work with it, and it can be configured to fail as the Hub does.
 */
import { readFile } from 'node:fs/promises'
import type { Server } from 'node:http'
import { InvalidOptionError } from '../../errors.js'
import { listen } from '../../listen.js'
import { HubAccess, HubRefusal, type HubToken, RateCounter, type RateWindow } from './access.js'
import { HubApi, type HubApiOptions, isLfsName } from './api.js'
import type { Exchange } from './exchange.js'
import { type HubFault, HubFaults } from './faults.js'
import { HubLfs, type LfsOptions } from './lfs.js'
import { type HubLogEntry, hubServer } from './server.js'
import { HubStore, type StoredCommit, type StoredRepo, type TreeChange } from './store.js'

/** Options for `startHub`; all but `directory` are optional. */
export interface HubOptions {
  /** Stores the repositories; created if missing. */
  readonly directory: string
  /** 0, the default, takes a free port. */
  readonly port?: number
  /** Port of the file server; 0 by default. */
  readonly cdnPort?: number
  /** Token → user. By default every token that begins with hf_ may read and write everything. */
  readonly tokens?: Readonly<Record<string, HubToken>>
  readonly faults?: readonly HubFault[]
  /** API requests per window; a free account has 1,000 in 5 minutes. No limit by default. */
  readonly apiRate?: RateWindow
  /** File requests per window; no limit by default. */
  readonly resolveRate?: RateWindow
  readonly lfsFromBytes?: number
  readonly multipartFromBytes?: number
  readonly partBytes?: number
  readonly storageBytesMax?: number
  readonly signedUrlMs?: number
  readonly pageEntries?: number
  readonly filesPerCommitMax?: number
  readonly commitsPerHourMax?: number
  /** Whether large files are listed as stored by Xet; the LFS URL still serves them. */
  readonly xet?: boolean
  /** Clock in milliseconds; `Date.now` by default. */
  readonly now?: () => number
}

/** Smaller text files are stored in Git. */
const lfsFromBytesDefault = 10_000_000

/** A simulated Hub that is listening. */
export interface Hub {
  /** URL of the API, with an IP address. */
  readonly url: string
  /** URL of the file server, with the name `localhost`: another host for every client. */
  readonly cdnUrl: string
  /** Requests so far, oldest first. */
  readonly log: readonly HubLogEntry[]
  readonly faults: HubFaults
  /** Commits files to a repository, which is created if missing. Returns the commit. */
  seed(id: string, files: Readonly<Record<string, Uint8Array | string>>, options?: SeedOptions): string
  /** Returns path → sha256 of the content, at a revision. */
  tree(id: string, revision?: string): Record<string, string>
  content(id: string, path: string, revision?: string): Promise<Buffer>
  close(): Promise<void>
}

/** Options of a repository that `seed` creates or changes. */
interface SeedOptions {
  readonly private?: boolean
  readonly gated?: StoredRepo['gated']
  readonly granted?: string[]
}

/**
 * Starts a simulated Hub on loopback.
 *
 * @throws {InvalidOptionError} the port is not valid
 */
export async function startHub(options: HubOptions): Promise<Hub> {
  const { port = 0, cdnPort = 0, lfsFromBytes = lfsFromBytesDefault, now = Date.now } = options
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new InvalidOptionError(`port is ${port}: give a whole number from 0 to 65535`)
  }
  const store = new HubStore(options.directory)
  const faults = new HubFaults()
  faults.set(options.faults ?? [])
  const log: HubLogEntry[] = []
  let url = ''
  let cdnUrl = ''
  const lfs = new HubLfs(store, lfsOptions(options), now, () => cdnUrl)
  const api = new HubApi(store, new HubAccess(options.tokens), lfs, apiOptions(options), now, () => url)
  const counters = {
    api: options.apiRate && new RateCounter('api', options.apiRate, now),
    resolve: options.resolveRate && new RateCounter('resolvers', options.resolveRate, now),
  }
  const apiServer = hubServer('api', faults, log, async (exchange) => {
    if (exchange.url.pathname.startsWith('/admin/')) return administer(exchange, faults, log)
    const file = /^\/datasets\/[^/]+\/[^/]+\/resolve\//.test(exchange.url.pathname)
    Object.assign(exchange.headers, (file ? counters.resolve : counters.api)?.take())
    await api.serve(exchange)
  })
  const cdnServer = hubServer('cdn', faults, log, (exchange) => lfs.serve(exchange))
  url = `http://127.0.0.1:${await listen(apiServer, '127.0.0.1', port)}`
  try {
    cdnUrl = `http://localhost:${await listen(cdnServer, '127.0.0.1', cdnPort)}`
  } catch (error) {
    await shut(apiServer)
    throw error
  }
  return {
    url,
    cdnUrl,
    log,
    faults,
    seed: (id, files, seedOptions = {}) => seed(store, lfsFromBytes, id, files, seedOptions),
    tree: (id, revision = 'main') =>
      Object.fromEntries(Object.entries(commitOf(store, id, revision).tree).map(([path, file]) => [path, file.sha256])),
    content: async (id, path, revision = 'main') => {
      const file = commitOf(store, id, revision).tree[path]
      if (file === undefined) throw new RangeError(`${id} has no file ${path} at ${revision}`)
      return readFile(store.blobPath(file.sha256))
    },
    close: async () => {
      await Promise.all([shut(apiServer), shut(cdnServer)])
    },
  }
}

function seed(
  store: HubStore,
  lfsFromBytes: number,
  id: string,
  files: Readonly<Record<string, Uint8Array | string>>,
  options: SeedOptions,
): string {
  const repo = store.repo(id) ?? store.create(id, options)
  Object.assign(repo, options)
  const changes = Object.entries(files).map(([path, given]): TreeChange => {
    const content = Buffer.from(given as Uint8Array)
    if (content.length < lfsFromBytes && !isLfsName(path)) return { path, content }
    return { path, sha256: store.putBlob(content), sizeBytes: content.length }
  })
  return store.commit(repo, 'main', 'seed', changes).sha
}

function commitOf(store: HubStore, id: string, revision: string): StoredCommit {
  const repo = store.repo(id)
  const commit = repo && store.resolve(repo, revision)
  if (commit === undefined) throw new RangeError(`there is no ${id} at ${revision}`)
  return commit
}

/** POST /admin/faults sets the faults, GET /admin/log returns the requests. */
async function administer(exchange: Exchange, faults: HubFaults, log: HubLogEntry[]): Promise<void> {
  const { pathname } = exchange.url
  if (pathname === '/admin/log') return exchange.json(log)
  if (pathname !== '/admin/faults' || exchange.request.method !== 'POST') {
    throw new HubRefusal(404, 'POST /admin/faults with an array of faults, or GET /admin/log')
  }
  const given = JSON.parse((await exchange.body()).toString('utf8')) as HubFault[]
  if (!Array.isArray(given)) throw new HubRefusal(400, 'give an array of faults: [{"kind":"cut","match":"GET /cdn"}]')
  faults.set(given)
  exchange.json({ faults: given.length })
}

function lfsOptions(options: HubOptions): LfsOptions {
  return {
    multipartFromBytes: options.multipartFromBytes ?? 5_000_000_000,
    partBytes: options.partBytes ?? 100_000_000,
    storageBytesMax: options.storageBytesMax ?? Infinity,
    signedUrlMs: options.signedUrlMs ?? 3_600_000,
  }
}

function apiOptions(options: HubOptions): HubApiOptions {
  return {
    lfsFromBytes: options.lfsFromBytes ?? lfsFromBytesDefault,
    pageEntries: options.pageEntries ?? 1000,
    filesPerCommitMax: options.filesPerCommitMax ?? 25_000,
    commitsPerHourMax: options.commitsPerHourMax ?? 128,
    xet: options.xet ?? false,
  }
}

function shut(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.close((error) => (error === undefined ? resolve() : reject(error)))
    server.closeAllConnections()
  })
}

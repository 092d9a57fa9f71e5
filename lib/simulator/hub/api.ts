/** Repository API of the simulated Hub: creation, information, listings, file downloads, commits. */
import { type HubAccess, HubRefusal, type HubToken } from './access.js'
import { type CommitLine, commitChanges } from './commit.js'
import type { Exchange } from './exchange.js'
import type { HubLfs } from './lfs.js'
import type { HubStore, StoredCommit, StoredFile, StoredRepo } from './store.js'
import { entryOf, pageOf, treeEntries, withWrongSize } from './tree.js'

export interface HubApiOptions {
  /** Files of this size, and binary files, are stored by LFS. */
  readonly lfsFromBytes: number
  readonly pageEntries: number
  readonly filesPerCommitMax: number
  readonly commitsPerHourMax: number
  readonly xet: boolean
}

interface Call {
  readonly exchange: Exchange
  readonly user: HubToken | null
  readonly repo: StoredRepo
  /** The path after the repository, such as `tree` or `resolve`; '' for the repository itself. */
  readonly action: string
  /** Branch or commit; clients write refs/pr/1 with or without %2F. */
  readonly revision: string
  /** Path inside the repository. */
  readonly path: string
}

const restPattern = /^(?:\/([^/]+)(?:\/(refs\/(?:pr|convert)\/[^/]+|[^/]+)(?:\/(.*))?)?)?$/

/** Whether the .gitattributes of a dataset store a file with this name by LFS regardless of its size. */
export function isLfsName(path: string): boolean {
  return /\.(parquet|arrow|zst|gz|tar|bin|png|jpg)$/.test(path)
}

export class HubApi {
  readonly #commitTimes: number[] = []
  readonly #store: HubStore
  readonly #access: HubAccess
  readonly #lfs: HubLfs
  readonly #options: HubApiOptions
  readonly #now: () => number
  readonly #apiUrl: () => string

  constructor(
    store: HubStore,
    access: HubAccess,
    lfs: HubLfs,
    options: HubApiOptions,
    now: () => number,
    apiUrl: () => string,
  ) {
    this.#store = store
    this.#access = access
    this.#lfs = lfs
    this.#options = options
    this.#now = now
    this.#apiUrl = apiUrl
  }

  async serve(exchange: Exchange): Promise<void> {
    const path = exchange.url.pathname
    const user = this.#access.user(exchange.request)
    if (path === '/api/whoami-v2') return this.#whoAmI(exchange, user)
    if (path === '/api/repos/create') return this.#create(exchange, user)
    if (path === '/api/validate-yaml') return exchange.json({ errors: [], warnings: [] })
    const lfs = /^\/datasets\/([\w.-]+\/[\w.-]+)\.git\/info\/lfs\/objects\/batch$/.exec(path)
    if (lfs?.[1] !== undefined) {
      this.#access.mustRead(user, this.#store.repo(lfs[1]))
      this.#access.mustWrite(user, lfs[1])
      return this.#lfs.batch(exchange)
    }
    const match = /^\/(api\/)?datasets\/([\w.-]+\/[\w.-]+)(\/.*)?$/.exec(path)
    if (match?.[2] === undefined) throw new HubRefusal(404, `no such page: ${path}`)
    const repo = this.#access.mustRead(user, this.#store.repo(match[2]))
    const rest = restPattern.exec(match[3] ?? '')
    if (rest === null) throw new HubRefusal(404, `no such page: ${path}`)
    const [, action = '', revision = 'main', inside = ''] = rest.map((part) => part && decodeURIComponent(part))
    const call: Call = { exchange, user, repo, action, revision, path: inside }
    return match[1] === undefined ? this.#resolve(call) : this.#repository(call)
  }

  async #repository(call: Call): Promise<void> {
    const { exchange, repo, action } = call
    const post = exchange.request.method === 'POST'
    if (action === '' || (action === 'revision' && !post)) return this.#information(call)
    if (action === 'refs') return exchange.json(refsOf(repo))
    if (action === 'tree') return this.#tree(call)
    if (action === 'commits') return this.#commits(call)
    if (action === 'paths-info' && post) return this.#pathsInfo(call)
    if (action === 'preupload' && post) return this.#preupload(call)
    if (action === 'commit' && post) return this.#commit(call)
    if (action === 'branch' && post) return this.#branch(call)
    if (action === 'discussions') return this.#discussion(call)
    throw new HubRefusal(404, `no such call: ${exchange.request.method} ${action}`)
  }

  #whoAmI(exchange: Exchange, user: HubToken | null): void {
    if (user === null) throw new HubRefusal(401, 'Invalid username or password.')
    const orgs = (user.organizations ?? []).map((name) => ({ type: 'org', name, fullname: name }))
    const accessToken = { role: user.role, displayName: 'simulated', createdAt: new Date(0).toISOString() }
    exchange.json({ type: 'user', id: user.name, name: user.name, orgs, auth: { type: 'access_token', accessToken } })
  }

  async #create(exchange: Exchange, user: HubToken | null): Promise<void> {
    const fields = await exchange.fields()
    const { name, organization, type, visibility } = fields
    if (type !== 'dataset') throw new HubRefusal(400, 'only datasets are simulated')
    const id = `${organization ?? user?.name}/${name}`
    if (!/^[\w.-]+\/[\w.-]{1,96}$/.test(id)) throw new HubRefusal(400, `not a repository name: ${id}`)
    this.#access.mustWrite(user, id)
    const url = `${this.#apiUrl()}/datasets/${id}`
    if (this.#store.repo(id) !== undefined) {
      exchange.json({ error: 'You already created this dataset repo', url }, 409)
      return
    }
    this.#store.create(id, { private: visibility === 'private' || fields.private === true })
    exchange.json({ url, name: id, id })
  }

  #information({ exchange, repo, revision }: Call): void {
    const commit = this.#revision(repo, revision)
    exchange.json({
      _id: commit.sha.slice(0, 24),
      id: repo.id,
      sha: commit.sha,
      private: repo.private,
      gated: repo.gated,
      disabled: false,
      downloads: 0,
      likes: 0,
      lastModified: commit.date,
      tags: [],
      siblings: Object.keys(commit.tree)
        .sort()
        .map((rfilename) => ({ rfilename })),
    })
  }

  #tree({ exchange, repo, revision, path }: Call): void {
    const { searchParams } = exchange.url
    const recursive = /^(true|1)$/i.test(searchParams.get('recursive') ?? '')
    const commit = this.#revision(repo, revision)
    const entries = treeEntries(commit, path, recursive, this.#options.xet)
    if (entries === null) throw new HubRefusal(404, `${path} does not exist on "${revision}"`, 'EntryNotFound')
    const { page, nextCursor } = pageOf(entries, searchParams.get('cursor'), this.#options.pageEntries)
    if (nextCursor !== null) {
      const next = new URL(exchange.url.pathname + exchange.url.search, this.#apiUrl())
      next.searchParams.set('cursor', nextCursor)
      exchange.headers.Link = `<${next.href}>; rel="next"`
    }
    exchange.json(exchange.fault?.kind === 'wrong-size' ? page.map(withWrongSize) : page)
  }

  async #pathsInfo({ exchange, repo, revision }: Call): Promise<void> {
    const { paths } = await exchange.fields()
    const commit = this.#revision(repo, revision)
    const wanted = Array.isArray(paths) ? (paths as string[]) : [String(paths)]
    const found = wanted.flatMap((path) => {
      const file = commit.tree[path]
      return file === undefined ? [] : [entryOf(path, file, this.#options.xet)]
    })
    exchange.json(found)
  }

  #commits({ exchange, repo, revision }: Call): void {
    const commits: object[] = []
    let next: string | null = this.#revision(repo, revision).sha
    while (next !== null) {
      const commit = this.#revision(repo, next)
      commits.push({ id: commit.sha, title: commit.title, message: '', date: commit.date, authors: [] })
      next = commit.parent
    }
    exchange.json(commits)
  }

  async #resolve({ exchange, user, repo, action, revision, path }: Call): Promise<void> {
    if (action !== 'resolve' || path === '') throw new HubRefusal(404, `no such page: ${action}`)
    this.#access.mustReadContent(user, repo)
    const commit = this.#revision(repo, revision)
    const file = commit.tree[path]
    exchange.headers['X-Repo-Commit'] = commit.sha
    if (file === undefined) throw new HubRefusal(404, 'Entry not found', 'EntryNotFound')
    if (!file.lfs) return exchange.file(this.#store.blobPath(file.sha256), file.sizeBytes, `"${file.oid}"`)
    exchange.empty(302, this.#redirect(exchange, path, file))
  }

  #redirect(exchange: Exchange, path: string, file: StoredFile): Record<string, string> {
    const kind = exchange.fault?.kind
    return {
      Location: this.#lfs.signedUrl(file.sha256, path),
      'X-Linked-Size': String(file.sizeBytes + (kind === 'wrong-size' ? 1 : 0)),
      'X-Linked-Etag': kind === 'wrong-etag' ? `"${'0'.repeat(64)}"` : `"${file.sha256}"`,
      ...(this.#options.xet ? { 'X-Xet-Hash': file.sha256 } : {}),
    }
  }

  async #preupload({ exchange, user, repo, revision: branch }: Call): Promise<void> {
    this.#access.mustWrite(user, repo.id)
    const commit = this.#revision(repo, branch)
    const { files } = (await exchange.fields()) as { files?: { path: string; size: number; sample: string }[] }
    if (!Array.isArray(files)) throw new HubRefusal(400, 'files is not an array')
    const described = files.map(({ path, size, sample }) => {
      const binary = Buffer.from(sample ?? '', 'base64').includes(0)
      const uploadMode = size >= this.#options.lfsFromBytes || isLfsName(path) || binary ? 'lfs' : 'regular'
      return { path, uploadMode, shouldIgnore: false, oid: commit.tree[path]?.oid ?? null }
    })
    exchange.json({ files: described, commitOid: commit.sha })
  }

  async #branch({ exchange, user, repo, revision: branch }: Call): Promise<void> {
    this.#access.mustWrite(user, repo.id)
    const { startingPoint, overwrite } = (await exchange.fields()) as { startingPoint?: string; overwrite?: boolean }
    if (repo.refs[branch] !== undefined && overwrite !== true) throw new HubRefusal(409, `Reference already exists`)
    this.#store.setRef(repo, branch, this.#revision(repo, startingPoint ?? 'main').sha)
    exchange.empty(200)
  }

  async #commit({ exchange, user, repo, revision: branch }: Call): Promise<void> {
    this.#access.mustWrite(user, repo.id)
    this.#countCommit()
    const text = (await exchange.body()).toString('utf8')
    if (exchange.fault?.kind === 'move-branch') {
      const content = Buffer.from(`${this.#now()}\n`)
      this.#store.commit(repo, branch, 'another commit', [{ path: 'somebody-else.txt', content }])
    }
    const head = this.#revision(repo, branch)
    const lines = text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as CommitLine)
    const { summary, parentCommit, changes } = commitChanges(lines, this.#store)
    if (changes.length > this.#options.filesPerCommitMax) {
      throw new HubRefusal(
        413,
        `too many files in one commit: ${changes.length}, ${this.#options.filesPerCommitMax} allowed`,
      )
    }
    const pullRequest = exchange.url.searchParams.get('create_pr') === '1'
    if (parentCommit !== undefined && parentCommit !== head.sha && !pullRequest) {
      throw new HubRefusal(412, 'A commit has happened since. Please refresh and try again.')
    }
    const ref = pullRequest ? this.#openPullRequest(repo, parentCommit ?? head.sha) : branch
    const commit = this.#store.commit(repo, ref, summary, changes)
    const repoUrl = `${this.#apiUrl()}/datasets/${repo.id}`
    exchange.json({
      success: true,
      commitOid: commit.sha,
      commitUrl: `${repoUrl}/commit/${commit.sha}`,
      hookOutput: '',
      ...(pullRequest ? { pullRequestUrl: `${repoUrl}/discussions/${ref.slice('refs/pr/'.length)}` } : {}),
    })
  }

  /** Returns the status of a pull request; POST …/merge and …/status change it. */
  async #discussion({ exchange, user, repo, revision: number, path }: Call): Promise<void> {
    const head = this.#store.resolve(repo, `refs/pr/${number}`)
    if (head === undefined) throw new HubRefusal(404, `no discussion ${number}`)
    if (exchange.request.method === 'POST') {
      this.#access.mustWrite(user, repo.id)
      const { status } = (await exchange.fields()) as { status?: string }
      if (path !== 'merge' && status !== 'closed') throw new HubRefusal(400, 'POST …/merge, or …/status with closed')
      repo.ended = { ...repo.ended, [number]: path === 'merge' ? 'merged' : 'closed' }
      if (path === 'merge') this.#store.setRef(repo, 'main', head.sha)
      this.#store.save(repo)
    }
    exchange.json({ num: Number(number), isPullRequest: true, status: repo.ended?.[number] ?? 'open' })
  }

  #openPullRequest(repo: StoredRepo, from: string): string {
    let number = 1
    while (repo.refs[`refs/pr/${number}`] !== undefined) number++
    this.#store.setRef(repo, `refs/pr/${number}`, from)
    return `refs/pr/${number}`
  }

  #countCommit(): void {
    const since = this.#now() - 3_600_000
    while ((this.#commitTimes[0] ?? Infinity) < since) this.#commitTimes.shift()
    if (this.#commitTimes.length >= this.#options.commitsPerHourMax) {
      const seconds = Math.ceil(((this.#commitTimes[0] as number) - since) / 1000)
      const message = `You have exceeded the rate limit for repository commits (${this.#options.commitsPerHourMax} per hour).`
      throw new HubRefusal(429, message, undefined, { 'Retry-After': String(seconds) })
    }
    this.#commitTimes.push(this.#now())
  }

  #revision(repo: StoredRepo, revision: string): StoredCommit {
    const commit = this.#store.resolve(repo, revision)
    if (commit === undefined) throw new HubRefusal(404, `Invalid rev id: ${revision}`, 'RevisionNotFound')
    return commit
  }
}

function refsOf(repo: StoredRepo): object {
  const all = Object.entries(repo.refs).map(([name, targetCommit]) => ({ name, targetCommit }))
  const isPullRequest = ({ name }: { name: string }) => name.startsWith('refs/pr/')
  const branches = all.filter((ref) => !isPullRequest(ref)).map((ref) => ({ ...ref, ref: `refs/heads/${ref.name}` }))
  const pullRequests = all.filter(isPullRequest).map((ref) => ({ ...ref, ref: ref.name }))
  return { branches, tags: [], converts: [], pullRequests }
}

/**
 * Publishes a run directory as a dataset: contents first, which nobody sees, then commits on a head that is known.
 * Killed anywhere and started again, it finds what is there and does the rest.
 */

import { HubUnavailableError, UsageError } from '../errors.js'
import { type HubFetchOptions, type HubTransport, hubTransport } from '../hub/fetch.js'
import { Remote, type RemoteFile } from '../hub/remote.js'
import { hubSettings } from '../hub/settings.js'
import { readManifest } from '../sinks/index.js'
import { closeAfter } from '../storage/close-all.js'
import { fencedFiles } from '../storage/fenced-files.js'
import { type FileLayer, nodeFiles } from '../storage/files.js'
import { type LockOptions, type LockUse, lockRunDirectory } from '../storage/lock/lock.js'
import { cardFiles, mustFit } from './card.js'
import { readCardFacts } from './card-facts.js'
import { commitAll } from './commits.js'
import { type Contents, joinUnknown, storeContents } from './contents.js'
import { checkPublishOptions, type PublishProgress, type PublishResult, type PublishSettings } from './options.js'
import { type Group, groupsOf } from './plan.js'
import { RemoteFooters } from './remote-footers.js'
import { type PublishState, readState, writeState } from './state.js'
import { eitherOf, stoppable } from './stoppable.js'
import { decideForeign, foreignFiles, operationsTo, type Target, targetOf } from './target.js'

/** What `publish` is told; defaults are those of a recipe's `publish`. */
export interface PublishOptions extends Partial<Omit<PublishSettings, 'repo'>> {
  /** A run directory. */
  readonly directory: string
  /** `owner/name`. */
  readonly repo: string
  readonly onProgress?: (progress: PublishProgress) => void
  /** Receives a line if it waits for the lock of another publish. */
  readonly onWait?: (message: string) => void
  /** Stops it at once, a request under way included. */
  readonly signal?: AbortSignal
  /** Stops it before the next request; one under way is waited for. */
  readonly ending?: AbortSignal
  readonly connection?: HubFetchOptions
  /** Connections shared with others; its owner closes it. */
  readonly transport?: HubTransport
}

/** Times that the branch may move under us in one publish. */
const movesMax = 8

interface Publishing {
  /** Of what changes the directory. */
  readonly files: FileLayer
  readonly directory: string
  readonly settings: PublishSettings
  readonly remote: Remote
  readonly footers: RemoteFooters
  readonly groups: readonly Group[]
  readonly state: PublishState
  /** Key of the repository and branch in the state. */
  readonly place: string
  readonly signal: AbortSignal | undefined
  readonly onProgress: ((progress: PublishProgress) => void) | undefined
}

/**
 * Joins the cuts of a run into files of a good size, uploads those that are not there, commits them with a dataset card.
 *
 * @throws {RunLockedError} another process publishes the directory
 * @throws {UsageError} nothing to publish, or the dataset holds another run's data and neither append nor replace is set
 * @throws {HubAccessError} token, role, quota: the message says what to do
 * @throws {HubUnavailableError} the Hub failed for long; publish again and it goes on
 */
export async function publish(options: PublishOptions): Promise<PublishResult> {
  const { directory, onProgress, onWait, signal: atOnce, ending, connection, transport: shared, ...given } = options
  const settings = checkPublishOptions(given)
  const hub = hubSettings(settings)
  const groups = groupsOf(await readManifest(directory), settings.fileBytes).filter(
    ({ sealed }) => sealed || !settings.sealedOnly,
  )
  if (groups.length === 0 && !settings.sealedOnly) {
    throw new UsageError(`${directory} holds no rows yet: run it first, or give the directory of a run (out/…)`)
  }
  const transport = shared ?? hubTransport(hub, connection)
  const stops = { signal: atOnce, ending }
  const signal = eitherOf(stops)
  try {
    const remote = new Remote(settings.repo, hub, stoppable(transport, stops), atOnce)
    await remote.mustWrite()
    const footers = new RemoteFooters(remote, atOnce)
    const place = `${hub.url}/${settings.repo}@${settings.branch}${settings.pullRequest ? ' (pull request)' : ''}`
    const publishing = { files: nodeFiles, directory, settings, remote, footers, groups, place, signal, onProgress }
    if (groups.length === 0) return nothingSealed(publishing)
    if (settings.dryRun) return await dryRun({ ...publishing, state: await readState(directory) })
    return await storeAlone(publishing, { ...(signal && { signal }), ...(onWait && { onEvent: onWait }) })
  } finally {
    if (shared === undefined) await transport.close()
  }
}

/** A run that has filled no file yet: told so, and nothing is made. */
function nothingSealed({ settings, remote }: Omit<Publishing, 'state'>): PublishResult {
  const { repo } = settings
  const url = `${remote.context.url}/datasets/${repo}`
  const none = { files: [], filesUploaded: 0, bytesUploaded: 0, written: [], deleted: [] }
  return { repo, url, commit: null, pullRequest: null, ...none }
}

const publishUse: LockUse = { name: 'publish.lock', does: 'publishes this run directory', command: 'publish' }

/** One publish of a directory at a time, whether or not a run works on it: publish.json and publish/ are written by this alone. */
async function storeAlone(publishing: Omit<Publishing, 'state'>, options: LockOptions): Promise<PublishResult> {
  const { directory } = publishing
  const lock = await lockRunDirectory(directory, { ...options, use: publishUse })
  try {
    // No file is appended to: the former holder replaces whole files, and the lock check refuses that first.
    if (lock.isTakenOver) await lock.settle()
    const files = fencedFiles(nodeFiles, lock)
    const result = await store({ ...publishing, files, state: await readState(directory) })
    await lock.release()
    return result
  } catch (error) {
    return closeAfter(error, [() => lock.release()])
  }
}

async function store(publishing: Publishing): Promise<PublishResult> {
  const { directory, settings, remote, footers, groups, state, place } = publishing
  const branch = await openBranch(publishing)
  const head = await headOf(remote, branch)
  const before = await remote.list(head)
  if (foreignFiles(before, knownOf(publishing)).length > 0) {
    await joinUnknown(publishing.files, publishing.directory, groups, state, publishing.signal)
  }
  // Said before anything is uploaded; said again below, on the head that is committed on.
  const foreign = foreignFiles(before, knownOf(publishing))
  decideForeign(settings.repo, foreign, settings)
  if (settings.append && foreign.length > 0) {
    await mustFit(settings.repo, (await readCardFacts(directory)).features, foreign, footers, head)
  }
  const stored = new Set([...before.values()].flatMap(({ sha256 }) => sha256 ?? []))
  const contents = await storeContents({ ...publishing, stored })
  // All that was ever put there: another branch, or a pull request, may hold what this one has no longer.
  state.published[place] = [...new Set([...(state.published[place] ?? []), ...contents.files.map(shaOf)])]
  await writeState(publishing.files, publishing.directory, state)
  for (let moves = 0; moves < movesMax; moves++) {
    const result = await settle(publishing, contents, branch)
    if (result !== null) return result
  }
  throw new HubUnavailableError(
    `The branch ${branch} of ${settings.repo} moved ${movesMax} times while ${groups.length} files were committed: ` +
      'nothing is lost; publish again when others are done',
  )
}

/** Commits what is missing on the head as it is now; null when the head moved meanwhile. */
async function settle(publishing: Publishing, contents: Contents, start: string): Promise<PublishResult | null> {
  const { directory, settings, remote, state, place, onProgress } = publishing
  const branch = state.pullRequests[place] ?? start
  const head = await headOf(remote, branch)
  const listed = await remote.list(head)
  const foreign = foreignFiles(listed, knownOf(publishing))
  decideForeign(settings.repo, foreign, settings)
  const kept = settings.append ? foreign : []
  const running = settings.sealedOnly || kept.length + contents.files.length + 2 > settings.filesPerCommitMax
  const target = targetOf(contents.files, kept, { running })
  const card = await cardFiles({ ...publishing, repo: settings.repo, files: contents.files, kept, head, listed })
  const operations = operationsTo(target, card.files, listed)
  const bytesTotal = contents.files.reduce((sum, { bytes }) => sum + bytes, 0)
  onProgress?.({ phase: 'commit', name: branch, bytesDone: bytesTotal, bytesTotal })
  const committed = await commitAll({ ...publishing, branch, head, operations, opening: card.opening })
  if (committed === null) return null
  if (committed.pullRequestRef !== null) {
    state.pullRequests[place] = committed.pullRequestRef
    await writeState(publishing.files, directory, state)
  }
  onProgress?.({ phase: 'check', name: branch, bytesDone: bytesTotal, bytesTotal })
  mustHold(await remote.list(committed.commit), target, settings.repo)
  return {
    ...describe(publishing, target, contents, operations),
    commit: committed.commit,
    url: committed.pullRequestUrl ?? `${remote.context.url}/datasets/${settings.repo}`,
    pullRequest: committed.pullRequestUrl,
  }
}

/** The branch to commit to: made when missing, the pull request of an earlier try where there is one. */
async function openBranch(publishing: Publishing): Promise<string> {
  const { settings, remote, state, place } = publishing
  const { branch } = settings
  const opened = await openedPullRequest(publishing)
  if (opened !== null) return opened
  delete state.pullRequests[place]
  if ((await remote.head(branch)) !== null) return branch
  await remote.create(settings.private)
  if ((await remote.head(branch)) === null) await remote.createBranch(branch)
  return branch
}

/** The pull request of an earlier publish, as long as it takes commits. */
async function openedPullRequest({ settings, remote, state, place }: Publishing): Promise<string | null> {
  const opened = state.pullRequests[place]
  if (!settings.pullRequest || opened === undefined) return null
  return (await remote.head(opened)) !== null && (await remote.isOpen(opened)) ? opened : null
}

async function headOf(remote: Remote, branch: string): Promise<string> {
  const head = await remote.head(branch)
  if (head !== null) return head
  throw new HubUnavailableError(`The branch ${branch} of ${remote.repo} is gone: was the repository deleted meanwhile?`)
}

/** Looks and says; writes nothing, here or there. Contents that were not joined yet are counted as to be written. */
async function dryRun(publishing: Publishing): Promise<PublishResult> {
  const { settings, remote, groups, state } = publishing
  const head = await remote.head((await openedPullRequest(publishing)) ?? settings.branch)
  const listed: ReadonlyMap<string, RemoteFile> = head === null ? new Map() : await remote.list(head)
  const files = groups.map(({ split, firstCut, key, files }) => {
    const bytes = files.reduce((sum, part) => sum + part.bytes, 0)
    const rows = files.reduce((sum, part) => sum + part.rows, 0)
    const unknown = { rows, bytes, sha256: key, uncompressedBytes: 0, rowGroups: 0 }
    return { split, firstCut, ...(state.joined[key] ?? unknown) }
  })
  const foreign = foreignFiles(listed, new Set([...knownOf(publishing), ...files.map(shaOf)]))
  decideForeign(settings.repo, foreign, settings)
  const kept = settings.append ? foreign : []
  const running = settings.sealedOnly || kept.length + files.length + 2 > settings.filesPerCommitMax
  const target = targetOf(files, kept, { running })
  const card = await cardFiles({ ...publishing, repo: settings.repo, files, kept, head: head ?? '', listed })
  const operations = operationsTo(target, card.files, listed)
  const contents = { files, filesUploaded: 0, bytesUploaded: 0 }
  const url = `${remote.context.url}/datasets/${settings.repo}`
  return { ...describe(publishing, target, contents, operations), commit: head, url, pullRequest: null }
}

function describe(
  { settings }: Publishing,
  target: Target,
  contents: Contents,
  operations: ReturnType<typeof operationsTo>,
): Pick<PublishResult, 'repo' | 'files' | 'filesUploaded' | 'bytesUploaded' | 'written' | 'deleted'> {
  const rows = new Map(contents.files.map((file) => [file.sha256, file.rows]))
  const files = [...target].flatMap(([path, { split, sha256, bytes, firstCut }]) =>
    firstCut === null ? [] : [{ path, split, bytes, rows: rows.get(sha256) ?? 0 }],
  )
  return {
    repo: settings.repo,
    files,
    filesUploaded: contents.filesUploaded,
    bytesUploaded: contents.bytesUploaded,
    written: operations.filter(({ kind }) => kind !== 'delete').map(({ path }) => path),
    deleted: operations.filter(({ kind }) => kind === 'delete').map(({ path }) => path),
  }
}

/** The Hub's own listing has the last word. */
function mustHold(listed: ReadonlyMap<string, RemoteFile>, target: Target, repo: string): void {
  for (const [path, { sha256, bytes }] of target) {
    const found = listed.get(path)
    if (found?.sha256 === sha256 && found.bytes === bytes) continue
    const has = found === undefined ? 'does not list it' : `lists ${found.bytes} bytes with sha256 ${found.sha256}`
    throw new HubUnavailableError(
      `${path} was committed to ${repo} with ${bytes} bytes and sha256 ${sha256}, but the Hub ${has}: publish again`,
    )
  }
}

/** What this run put into the repository, on whichever branch: branches are made of one another. */
function knownOf({ state, remote, groups }: Publishing): Set<string> {
  const joined = groups.flatMap(({ key }) => state.joined[key]?.sha256 ?? [])
  const here = `${remote.context.url}/${remote.repo}@`
  const published = Object.entries(state.published).flatMap(([place, sha256]) => (place.startsWith(here) ? sha256 : []))
  return new Set([...published, ...joined])
}

function shaOf({ sha256 }: { sha256: string }): string {
  return sha256
}

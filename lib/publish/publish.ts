/**
 * Publishes a run directory as a dataset: first uploads files, which are not visible yet, then commits on a known head.
 * It can be killed at any point and run again: uploads and commits are kept.
 */

import { HubUnavailableError, UsageError } from '../errors.js'
import { HubDataset } from '../hub/dataset.js'
import type { HubFileEntry } from '../hub/file.js'
import { hubSettings } from '../hub/settings.js'
import { combinedSignal, stoppableTransport } from '../hub/stoppable-transport.js'
import { type HubTransport, type HubTransportOptions, hubTransport } from '../hub/transport.js'
import { say } from '../language/say.js'
import { readManifest } from '../sinks/index.js'
import { closeAfter } from '../storage/close-all.js'
import { fencedFiles } from '../storage/fenced-files.js'
import { type FileLayer, nodeFiles } from '../storage/files.js'
import { failureUnderLock } from '../storage/lock/failure-under-lock.js'
import { type LockOptions, type LockUse, lockRunDirectory } from '../storage/lock/lock.js'
import { cardFiles, checkColumnsFit } from './card.js'
import { readCardFacts } from './card-facts.js'
import { commitAll } from './commits.js'
import { type Contents, joinUnknown, storeContents } from './contents.js'
import { DatasetFooters } from './dataset-footers.js'
import { checkPublishOptions, type PublishProgress, type PublishResult, type PublishSettings } from './options.js'
import { type Group, groupsOf } from './plan.js'
import { type PublishState, readState, writeState } from './state.js'
import { checkForeign, foreignFiles, operationsTo, type Target, targetOf } from './target.js'

/** Options for `publish`; defaults are those of `publish` in a recipe. */
export interface PublishOptions extends Partial<Omit<PublishSettings, 'repo'>> {
  /** A run directory. */
  readonly directory: string
  /** `owner/name`. */
  readonly repo: string
  readonly onProgress?: (progress: PublishProgress) => void
  /** Receives a message if it waits for the lock of another publish. */
  readonly onWait?: (message: string) => void
  /** Aborts requests in progress. */
  readonly signal?: AbortSignal
  /** Stops before the next request; one in progress is completed. */
  readonly ending?: AbortSignal
  readonly connection?: HubTransportOptions
  /** A transport that the caller closes; by default one is opened and closed. */
  readonly transport?: HubTransport
}

/** Times that another writer may move the branch during one publish. */
const movesMax = 8

interface Publishing {
  /** Used for every change of the directory. */
  readonly files: FileLayer
  readonly directory: string
  readonly settings: PublishSettings
  readonly dataset: HubDataset
  readonly footers: DatasetFooters
  readonly groups: readonly Group[]
  readonly state: PublishState
  /** Key of the repository and branch in the state. */
  readonly place: string
  readonly signal: AbortSignal | undefined
  readonly onProgress: ((progress: PublishProgress) => void) | undefined
}

/**
 * Joins the cuts of a run into larger files, uploads those that the Hub lacks, and commits them with a dataset card.
 *
 * @throws {RunLockedError} another process publishes the directory
 * @throws {UsageError} nothing to publish, or the dataset holds another run's data and neither append nor replace is set
 * @throws {HubAccessError} token, role, quota: the message says what to do
 * @throws {HubUnavailableError} the Hub is down; publish again to resume
 */
export async function publish(options: PublishOptions): Promise<PublishResult> {
  const {
    directory,
    onProgress,
    onWait,
    signal: abortSignal,
    ending,
    connection,
    transport: shared,
    ...given
  } = options
  const settings = checkPublishOptions(given)
  const hub = hubSettings(settings)
  const groups = groupsOf(await readManifest(directory), settings.fileBytes).filter(
    ({ sealed }) => sealed || !settings.sealedOnly,
  )
  if (groups.length === 0 && !settings.sealedOnly) {
    throw new UsageError(say`${directory} holds no rows yet: run it first, or give the directory of a run (out/…)`)
  }
  const transport = shared ?? hubTransport(hub, connection)
  const stops = { signal: abortSignal, ending }
  const signal = combinedSignal(stops)
  try {
    const dataset = new HubDataset(settings.repo, hub, stoppableTransport(transport, stops), abortSignal)
    await dataset.checkWriteAccess()
    const footers = new DatasetFooters(dataset, abortSignal)
    const place = `${hub.url}/${settings.repo}@${settings.branch}${settings.pullRequest ? ' (pull request)' : ''}`
    const publishing = { files: nodeFiles, directory, settings, dataset, footers, groups, place, signal, onProgress }
    if (groups.length === 0) return nothingSealed(publishing)
    if (settings.dryRun) return await dryRun({ ...publishing, state: await readState(directory) })
    return await storeAlone(publishing, { ...(signal && { signal }), ...(onWait && { onEvent: onWait }) })
  } finally {
    if (shared === undefined) await transport.close()
  }
}

/** Returns the result for a run without a full file: nothing is created. */
function nothingSealed({ settings, dataset }: Omit<Publishing, 'state'>): PublishResult {
  const { repo } = settings
  const url = `${dataset.context.url}/datasets/${repo}`
  const none = { files: [], filesUploaded: 0, bytesUploaded: 0, written: [], deleted: [] }
  return { repo, url, commit: null, pullRequest: null, ...none }
}

const publishUse: LockUse = { name: 'publish.lock', does: 'publishes this run directory', command: 'publish' }

/** Holds the publish lock: publish.json and publish/ have one writer, whether or not a run is in progress. */
async function storeAlone(publishing: Omit<Publishing, 'state'>, options: LockOptions): Promise<PublishResult> {
  const { directory } = publishing
  const lock = await lockRunDirectory(directory, { ...options, use: publishUse })
  try {
    // No file is appended to: a former holder could only replace whole files, and its lock check prevents that.
    if (lock.isTakenOver) await lock.settle()
    const files = fencedFiles(nodeFiles, lock)
    const result = await store({ ...publishing, files, state: await readState(directory) })
    await lock.release()
    return result
  } catch (error) {
    return closeAfter(await failureUnderLock(lock, error), [() => lock.release()])
  }
}

async function store(publishing: Publishing): Promise<PublishResult> {
  const { directory, settings, dataset, footers, groups, state, place } = publishing
  const branch = await openBranch(publishing)
  const head = await headOf(dataset, branch)
  const before = await dataset.list(head)
  if (foreignFiles(before, knownOf(publishing)).length > 0) {
    await joinUnknown(publishing.files, publishing.directory, groups, state, publishing.signal)
  }
  // Checked before anything is uploaded, and again in `commitOnHead` on the head that is committed on.
  const foreign = foreignFiles(before, knownOf(publishing))
  checkForeign(settings.repo, foreign, settings)
  if (settings.append && foreign.length > 0) {
    await checkColumnsFit(settings.repo, (await readCardFacts(directory)).features, foreign, footers, head)
  }
  const stored = new Set([...before.values()].flatMap(({ sha256 }) => sha256 ?? []))
  const contents = await storeContents({ ...publishing, stored })
  // Files of all branches and pull requests, which may contain files that this branch lacks.
  state.published[place] = [...new Set([...(state.published[place] ?? []), ...contents.files.map(shaOf)])]
  await writeState(publishing.files, publishing.directory, state)
  for (let moves = 0; moves < movesMax; moves++) {
    const result = await commitOnHead(publishing, contents, branch)
    if (result !== null) return result
  }
  throw new HubUnavailableError(
    say`the branch ${branch} of ${settings.repo} moved ${movesMax} times while ${groups.length} files were
      committed: nothing is lost; publish again when no other writer commits`,
  )
}

/** Commits what the current head lacks; returns null if the head moved meanwhile. */
async function commitOnHead(publishing: Publishing, contents: Contents, start: string): Promise<PublishResult | null> {
  const { directory, settings, dataset, state, place, onProgress } = publishing
  const branch = state.pullRequests[place] ?? start
  const head = await headOf(dataset, branch)
  const listed = await dataset.list(head)
  const foreign = foreignFiles(listed, knownOf(publishing))
  checkForeign(settings.repo, foreign, settings)
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
  checkListing(await dataset.list(committed.commit), target, settings.repo)
  return {
    ...describe(publishing, target, contents, operations),
    commit: committed.commit,
    url: committed.pullRequestUrl ?? `${dataset.context.url}/datasets/${settings.repo}`,
    pullRequest: committed.pullRequestUrl,
  }
}

/** Returns the branch to commit to: the pull request of an earlier publish, or the branch, created if missing. */
async function openBranch(publishing: Publishing): Promise<string> {
  const { settings, dataset, state, place } = publishing
  const { branch } = settings
  const opened = await openedPullRequest(publishing)
  if (opened !== null) return opened
  delete state.pullRequests[place]
  if ((await dataset.head(branch)) !== null) return branch
  await dataset.create(settings.private)
  if ((await dataset.head(branch)) === null) await dataset.createBranch(branch)
  return branch
}

/** Returns the pull request of an earlier publish if it accepts commits. */
async function openedPullRequest({ settings, dataset, state, place }: Publishing): Promise<string | null> {
  const opened = state.pullRequests[place]
  if (!settings.pullRequest || opened === undefined) return null
  return (await dataset.head(opened)) !== null && (await dataset.isOpen(opened)) ? opened : null
}

async function headOf(dataset: HubDataset, branch: string): Promise<string> {
  const head = await dataset.head(branch)
  if (head !== null) return head
  throw new HubUnavailableError(say`the branch ${branch} of ${dataset.repo} is missing: was the repository deleted?`)
}

/** Reports what a publish would do; writes nothing. Files that were not joined yet count as to be written. */
async function dryRun(publishing: Publishing): Promise<PublishResult> {
  const { settings, dataset, groups, state } = publishing
  const head = await dataset.head((await openedPullRequest(publishing)) ?? settings.branch)
  const listed: ReadonlyMap<string, HubFileEntry> = head === null ? new Map() : await dataset.list(head)
  const files = groups.map(({ split, firstCut, key, files }) => {
    const bytes = files.reduce((sum, part) => sum + part.bytes, 0)
    const rows = files.reduce((sum, part) => sum + part.rows, 0)
    const unknown = { rows, bytes, sha256: key, uncompressedBytes: 0, rowGroups: 0 }
    return { split, firstCut, ...(state.joined[key] ?? unknown) }
  })
  const foreign = foreignFiles(listed, new Set([...knownOf(publishing), ...files.map(shaOf)]))
  checkForeign(settings.repo, foreign, settings)
  const kept = settings.append ? foreign : []
  const running = settings.sealedOnly || kept.length + files.length + 2 > settings.filesPerCommitMax
  const target = targetOf(files, kept, { running })
  const card = await cardFiles({ ...publishing, repo: settings.repo, files, kept, head: head ?? '', listed })
  const operations = operationsTo(target, card.files, listed)
  const contents = { files, filesUploaded: 0, bytesUploaded: 0 }
  const url = `${dataset.context.url}/datasets/${settings.repo}`
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

/** @throws {HubUnavailableError} the listing of the Hub after the commit lacks a file */
function checkListing(listed: ReadonlyMap<string, HubFileEntry>, target: Target, repo: string): void {
  for (const [path, { sha256, bytes }] of target) {
    const found = listed.get(path)
    if (found?.sha256 === sha256 && found.sizeBytes === bytes) continue
    const has = found === undefined ? 'does not list it' : `lists ${found.sizeBytes} bytes with sha256 ${found.sha256}`
    throw new HubUnavailableError(
      say`${path} was committed to ${repo} with ${bytes} bytes and sha256 ${sha256}, but the Hub ${has}:
        publish again`,
    )
  }
}

/** Returns the sha256 of all files that this run has published to the repository, on any branch: branches share files. */
function knownOf({ state, dataset, groups }: Publishing): Set<string> {
  const joined = groups.flatMap(({ key }) => state.joined[key]?.sha256 ?? [])
  const here = `${dataset.context.url}/${dataset.repo}@`
  const published = Object.entries(state.published).flatMap(([place, sha256]) => (place.startsWith(here) ? sha256 : []))
  return new Set([...published, ...joined])
}

function shaOf({ sha256 }: { sha256: string }): string {
  return sha256
}

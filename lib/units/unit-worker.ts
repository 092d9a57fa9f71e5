/**
 * Generates units: fetches the file of a unit, makes its cut in the directory of an attempt of its own, and commits a result
 * that names the attempt. The first result of a unit counts; the others are dropped.
 */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AbortedError, KunStreamError } from '../errors.js'
import { say } from '../language/say.js'
import type { ObjectStore } from '../objects/object-store.js'
import { type ReplyShipping, shipReplies } from '../objects/reply-shipping.js'
import { type Counters, rowsOf } from '../run/accounting.js'
import type { KunSettings } from '../run/settings.js'
import { type ManifestEntry, openCutWriter, type RunRecord } from '../sinks/index.js'
import { closeAfter, closeAll } from '../storage/close-all.js'
import { type FileLayer, makeDurableDirectory, nodeFiles } from '../storage/files.js'
import { openReplies } from '../storage/replies/replies.js'
import { repliesFolder, spillName } from '../storage/run-layout.js'
import { type Decisions, generateCut } from './generate-cut.js'
import type { UnitWorker } from './types.js'
import { earlierReplies, fetchUnit } from './unit-fetch.js'
import { attemptPrefix } from './unit-keys.js'
import type { PlanLine } from './unit-plan.js'
import { readResult, settleResult, type UnitResult, writeFailure } from './unit-result.js'
import { type CutMaker, openMaker, openUnitServers, type Serving, sessionStages, unitAccount } from './worker-parts.js'

/** Options for `openUnitWorker`. */
interface WorkerParts {
  readonly store: ObjectStore
  readonly record: RunRecord
  /** Without shards. */
  readonly settings: KunSettings
  readonly lineOf: (id: string) => Promise<PlanLine>
  readonly decisionsOf: (id: string) => Promise<ReadonlyMap<string, string>>
  /** Stops the worker. */
  readonly signal: AbortSignal
  readonly onEvent: (message: string) => void
  /** Called once, when the worker is closed. */
  readonly onClose: () => Promise<void>
  readonly files?: FileLayer
}

/** Opens the servers and what units are made with. */
export async function openUnitWorker(parts: WorkerParts): Promise<UnitWorker> {
  const closings: (() => Promise<void>)[] = [parts.onClose]
  try {
    const serving = await openUnitServers(parts.store, parts.settings, parts.onEvent, closings)
    const maker = await openMaker(parts.settings, parts.record, serving.row)
    return new Worker(parts, serving, maker, closings)
  } catch (error) {
    return closeAfter(error, closings)
  }
}

/** A cut whose files are durable below the attempt. */
interface MadeCut extends Pick<UnitResult, 'wordOrders'> {
  readonly entry: ManifestEntry
  /** Tokens that servers sent meanwhile. */
  readonly tokens: number
}

class Worker implements UnitWorker {
  readonly #parts: WorkerParts
  readonly #serving: Serving
  readonly #maker: CutMaker
  readonly #closings: readonly (() => Promise<void>)[]
  readonly #files: FileLayer
  readonly #ending = new AbortController()
  readonly #onStop = () => this.#stop(this.#parts.signal.reason)
  #stopping: Promise<void> | null = null
  #reason: unknown = null

  constructor(parts: WorkerParts, serving: Serving, maker: CutMaker, closings: readonly (() => Promise<void>)[]) {
    this.#parts = parts
    this.#serving = serving
    this.#maker = maker
    this.#closings = closings
    this.#files = parts.files ?? nodeFiles
    const stop = (reason: KunStreamError) => this.#stop(reason)
    serving.drift.start(stop)
    serving.usage.start(() => serving.servers.metrics().tokens, stop)
    if (parts.signal.aborted) this.#onStop()
    else parts.signal.addEventListener('abort', this.#onStop, { once: true })
  }

  async generate(id: string, signal?: AbortSignal): Promise<'committed' | 'already'> {
    const { store, lineOf } = this.#parts
    if (this.#reason !== null) throw this.#reason
    if ((await readResult(store, id)) !== null) return 'already'
    const line = await lineOf(id)
    const attempt = randomBytes(8).toString('hex')
    try {
      return await this.#attempt(line, attempt, signal)
    } catch (error) {
      // The attempt of a unit that is done may have been deleted meanwhile.
      if ((await readResult(store, id).catch(() => null)) !== null) return 'already'
      if (this.#reason !== null) throw this.#reason
      const stopped = signal?.aborted === true || error instanceof AbortedError
      if (!stopped) await writeFailure(store, id, attempt, error).catch(() => undefined) // `error` is thrown
      throw error
    }
  }

  async tryRecords(id: string, records: ReadonlySet<string>): Promise<void> {
    const { store, lineOf } = this.#parts
    if (this.#reason !== null) throw this.#reason
    const line = await lineOf(id)
    const attempt = randomBytes(8).toString('hex')
    const prefix = attemptPrefix(id, attempt)
    const scratch = store.directory === null ? await mkdtemp(join(tmpdir(), 'kun-stream-unit-')) : null
    const directory = scratch ?? join(store.directory as string, prefix)
    try {
      await store.put(`${prefix}attempt.json`, Buffer.from(`${JSON.stringify({ unit: id, attempt })}\n`))
      await makeDurableDirectory(this.#files, directory)
      const { entry } = await this.#make(line, attempt, directory, undefined, records)
      for (const { path } of entry.files) await rm(join(directory, path), { force: true })
      if (scratch === null) return
      for (const name of await this.#files.list(join(directory, repliesFolder))) {
        await store.putFile(`${prefix}${repliesFolder}/${name}`, join(directory, repliesFolder, name))
      }
    } catch (error) {
      throw this.#reason ?? error
    } finally {
      if (scratch !== null) await rm(scratch, { recursive: true, force: true })
    }
  }

  async close(): Promise<void> {
    const { signal } = this.#parts
    signal.removeEventListener('abort', this.#onStop)
    await this.#stopping
    this.#serving.usage.close()
    await closeAll([() => this.#serving.drift.close(), ...this.#closings])
  }

  /** Sends nothing more, waits until the replies of requests in flight are stored, then ends all units. */
  #stop(reason: unknown): void {
    if (this.#stopping !== null) return
    this.#reason = reason instanceof KunStreamError ? reason : new AbortedError(say`stopped`)
    const end = () => this.#ending.abort(this.#reason)
    this.#stopping = this.#serving.servers.drain().then(end, end)
  }

  async #attempt(line: PlanLine, attempt: string, signal?: AbortSignal): Promise<'committed' | 'already'> {
    const { store } = this.#parts
    const prefix = attemptPrefix(line.id, attempt)
    const scratch = store.directory === null ? await mkdtemp(join(tmpdir(), 'kun-stream-unit-')) : null
    const directory = scratch ?? join(store.directory as string, prefix)
    try {
      const startMs = performance.now()
      await store.put(`${prefix}attempt.json`, Buffer.from(`${JSON.stringify({ unit: line.id, attempt })}\n`))
      await makeDurableDirectory(this.#files, directory)
      const made = await this.#make(line, attempt, directory, signal)
      const replies = await this.#files.list(join(directory, repliesFolder))
      const parts = made.entry.files.map(({ path }) => path)
      if (scratch !== null) for (const path of parts) await store.putFile(prefix + path, join(directory, path))
      // Written by this process; parsing them would change the order of their keys, which is that of stats.json.
      const counters = made.entry.counters as Counters
      const result: UnitResult = {
        ...{ unit: line.id, cut: line.cut, attempt, files: [...made.entry.files], replies },
        counters,
        wordOrders: made.wordOrders,
        work: {
          seconds: Math.round(performance.now() - startMs) / 1000,
          endedAt: new Date().toISOString(),
          rows: rowsOf(counters),
          tokens: made.tokens,
        },
      }
      const winner = await settleResult(store, result)
      if (winner.attempt === attempt) return 'committed'
      // Nothing of ours is deleted before the result that counts was read back.
      await this.#drop(prefix, [...parts, ...replies.map((name) => `${repliesFolder}/${name}`)])
      return 'already'
    } finally {
      if (scratch !== null) await rm(scratch, { recursive: true, force: true })
    }
  }

  async #make(
    line: PlanLine,
    attempt: string,
    directory: string,
    signal?: AbortSignal,
    only?: ReadonlySet<string>,
  ): Promise<MadeCut> {
    const { store, settings, onEvent, decisionsOf } = this.#parts
    const { servers, drift, noYield, blockCredit, itemCredit } = this.#serving
    const unit = await fetchUnit(store, this.#files, line, directory)
    const replies = await openReplies({
      files: this.#files,
      directory: join(directory, repliesFolder),
      from: [
        ...(await earlierReplies(store, line.id, attempt, directory)),
        ...settings.replies.from.map((earlier) => join(earlier, repliesFolder)),
      ],
      onWarning: onEvent,
    })
    const session = servers.session(replies, [line.firstBlock])
    const before = servers.metrics().tokens
    const shipping = this.#shipping(line, attempt, directory)
    const closings = [async () => session.end(), () => replies.close(), async () => shipping?.close()]
    try {
      const stages = sessionStages(this.#maker, session, drift)
      const accounting = unitAccount(this.#maker, stages)
      const writer = await openCutWriter({
        files: this.#files,
        directory,
        splits: settings.splits,
        columns: this.#maker.columns,
        encoder: this.#maker.encoder,
        from: { cut: line.cut - 1 },
        rowsPerFile: settings.output.rowsPerFile,
        rowGroupBytesMax: settings.output.rowGroupBytesMax,
        beforeCommit: [() => replies.flush()],
        // The result commits the cut, once the attempt is closed.
        commitEntry: async () => undefined,
      })
      closings.unshift(() => writer.abandon())
      const entry = await generateCut(
        {
          ...{ settings, unit, servers: session, stages, accounting, noYield, writer, blockCredit, itemCredit },
          firstBlock: line.firstBlock,
          decided: withOnly(await decisionsOf(line.id), only),
          row: this.#maker.row,
          rowsMax: Number.POSITIVE_INFINITY,
          files: this.#files,
          spill: join(directory, spillName),
        },
        signal === undefined ? this.#ending.signal : AbortSignal.any([this.#ending.signal, signal]),
      )
      await closeAll(closings)
      return { entry, wordOrders: accounting.wordOrders(), tokens: servers.metrics().tokens - before }
    } catch (error) {
      return closeAfter(error, closings)
    }
  }

  /** Copies replies to a bucket while they come in; in a directory they are where they belong. */
  #shipping({ id }: PlanLine, attempt: string, directory: string): ReplyShipping | null {
    const { store, onEvent } = this.#parts
    if (store.directory !== null) return null
    const prefix = `${attemptPrefix(id, attempt)}${repliesFolder}/`
    const place = { store, files: this.#files, directory: join(directory, repliesFolder), prefix }
    return shipReplies({ ...place, onWarning: onEvent })
  }

  /** Deletes an attempt whose unit has another result. */
  async #drop(prefix: string, paths: readonly string[]): Promise<void> {
    const { store } = this.#parts
    if (store.directory !== null) return rm(join(store.directory, prefix), { recursive: true, force: true })
    for (const path of ['attempt.json', ...paths]) await store.remove(prefix + path)
  }
}

/** Drops all records but some, as decisions do. */
function withOnly(decided: Decisions, only: ReadonlySet<string> | undefined): Decisions {
  return only === undefined ? decided : { get: (id) => (only.has(id) ? decided.get(id) : 'unit-poison') }
}

/**
 * Assembles a dataset from the results of units, in order of the plan: checks and links the parts of each cut, adds its
 * counters to those before, and writes its line of the manifest. The files are those of one `run`. Restartable; stops at the
 * first unit without a result.
 */
import { AbortedError, CorruptFileError, type KunStreamError } from '../errors.js'
import { say } from '../language/say.js'
import type { ObjectStore } from '../objects/object-store.js'
import { Accounting, type Counters, rowsOf, sortKeys } from '../run/accounting.js'
import { countersOf } from '../run/committed-cut.js'
import { addCounters } from '../run/counter-sums.js'
import { NoYieldDetector } from '../run/no-yield.js'
import type { KunSettings } from '../run/settings.js'
import { writeStats } from '../run/stats-file.js'
import { openRunDirectory, type RunDirectory, type RunRecord } from '../sinks/index.js'
import { closeAfter, closeAll } from '../storage/close-all.js'
import { type FileLayer, nodeFiles } from '../storage/files.js'
import { failureUnderLock } from '../storage/lock/failure-under-lock.js'
import { collectReplies } from './collect-replies.js'
import { CutAssembler } from './cut-assembler.js'
import { openReplay, type Replay, replayToLimit } from './replay-cut.js'
import { attemptPrefix, resultKey } from './unit-keys.js'
import { type PlanLine, readPlan, readPlanTotals } from './unit-plan.js'
import { readResult, type UnitResult, writeFailure } from './unit-result.js'

/** Options for `assembleUnits`. */
interface AssembleOptions {
  readonly store: ObjectStore
  readonly record: RunRecord
  /** Without shards; `output.dir` is the run directory that is written. */
  readonly settings: KunSettings
  readonly signal: AbortSignal
  readonly onEvent?: (message: string) => void
  readonly files?: FileLayer
}

/** What is assembled so far. */
export interface Assembled {
  /** Committed cuts, with those of earlier calls. */
  readonly cuts: number
  readonly rows: number
  /** Number of planned units. */
  readonly units: number
  /** 'complete' · 'limit': `rowsMax` is reached · 'gap': a unit has no result yet · 'planning': the plan is not complete */
  readonly end: 'complete' | 'limit' | 'gap' | 'planning'
  /** The unit without a result; null if there is none. */
  readonly missing: string | null
  /** Units whose results were dropped because a file was damaged or missing: they must be generated again. */
  readonly damaged: readonly string[]
  /** Failure of a complete dataset without a row. */
  readonly empty: KunStreamError | null
}

/**
 * Assembles what has a result.
 *
 * @throws {RunLockedError} another process works on the directory
 */
export async function assembleUnits(options: AssembleOptions): Promise<Assembled> {
  const { settings, record, files = nodeFiles, onEvent = () => undefined } = options
  const directory = await openRunDirectory({
    directory: settings.output.dir,
    record,
    files,
    reopens: (last) => rowsOf(countersOf(last)) < settings.limits.rowsMax,
    lock: { onEvent: (message) => onEvent(message) },
  })
  let assembled: Assembled
  try {
    const replay = openReplay(options)
    try {
      assembled = await new Assembly(options, directory, await replay).run()
    } finally {
      await replay.then((open) => open.close())
    }
  } catch (error) {
    return closeAfter(await failureUnderLock(directory.lock, error), [() => directory.close()])
  }
  await closeAll([() => directory.close()])
  return assembled
}

class Assembly {
  readonly #options: AssembleOptions
  readonly #directory: RunDirectory
  readonly #replay: Replay
  readonly #cuts: CutAssembler
  #counters: Counters
  #done: number

  constructor(options: AssembleOptions, directory: RunDirectory, replay: Replay) {
    const { settings } = options
    this.#options = options
    this.#directory = directory
    this.#replay = replay
    this.#cuts = new CutAssembler(options.store, directory)
    const { last } = directory
    const { names } = replay.stages
    // In the order of keys that an account has.
    this.#counters =
      last === null ? new Accounting(settings.splits, names, null).counters() : sortKeys(countersOf(last))
    this.#done = last === null ? 0 : last.cut + 1
  }

  async run(): Promise<Assembled> {
    const { store, settings, signal } = this.#options
    const { rowsMax } = settings.limits
    let missing: string | null = null
    const damaged: string[] = []
    for await (const line of readPlan(store)) {
      if (line.cut < this.#done) continue
      if (rowsOf(this.#counters) >= rowsMax) break
      if (signal.aborted) throw new AbortedError(say`stopped`)
      const result = await this.#resultOf(line)
      if (result === null) {
        missing = line.id
        break
      }
      if (result === 'damaged' || !(await this.#add(line, result))) {
        damaged.push(line.id)
        break
      }
      this.#done++
    }
    if (damaged.length > 0) await this.#findDamage(damaged)
    return this.#end(missing, damaged)
  }

  /** @returns false if a file of the result is damaged: the result is then dropped */
  async #add(line: PlanLine, result: UnitResult): Promise<boolean> {
    const { settings } = this.#options
    try {
      const counters = addCounters(this.#counters, result.counters, result.wordOrders)
      if (rowsOf(counters) >= settings.limits.rowsMax) {
        this.#counters = await replayToLimit(this.#replay, this.#directory, line, result, this.#counters)
      } else {
        await this.#cuts.add(line, result, counters)
        this.#counters = counters
      }
      return true
    } catch (error) {
      if (!(error instanceof CorruptFileError)) throw error
      await this.#drop(line, result, error)
      return false
    }
  }

  /** Looks at the results after a damaged one, so that one call names all that must be generated again. */
  async #findDamage(damaged: string[]): Promise<void> {
    const { store } = this.#options
    for await (const line of readPlan(store)) {
      if (line.cut <= this.#done) continue
      const result = await this.#resultOf(line)
      if (result === 'damaged') damaged.push(line.id)
      if (result === null || result === 'damaged') continue
      try {
        await this.#cuts.check(result)
      } catch (error) {
        if (!(error instanceof CorruptFileError)) throw error
        await this.#drop(line, result, error)
        damaged.push(line.id)
      }
    }
  }

  /** Reads a result; drops one that is damaged. */
  async #resultOf({ id }: PlanLine): Promise<UnitResult | 'damaged' | null> {
    const { store, onEvent } = this.#options
    try {
      return await readResult(store, id)
    } catch (error) {
      if (!(error instanceof CorruptFileError)) throw error
      onEvent?.(error.message)
      await store.remove(resultKey(id))
      return 'damaged'
    }
  }

  async #drop({ id }: PlanLine, { attempt }: UnitResult, error: CorruptFileError): Promise<void> {
    const { store, onEvent } = this.#options
    onEvent?.(say`${store.url}/${attemptPrefix(id, attempt)}: ${error.message}`)
    await writeFailure(store, id, attempt, error)
    await store.remove(resultKey(id))
  }

  async #end(missing: string | null, damaged: readonly string[]): Promise<Assembled> {
    const { store, settings } = this.#options
    const { files, directory } = this.#directory
    const totals = await readPlanTotals(store)
    const isAtLimit = rowsOf(this.#counters) >= settings.limits.rowsMax
    const isComplete = missing === null && damaged.length === 0 && totals !== null && totals.units === this.#done
    const end = isAtLimit ? 'limit' : isComplete ? 'complete' : missing === null && totals === null ? 'planning' : 'gap'
    if (settings.replies.keep && (end === 'complete' || end === 'limit')) {
      await collectReplies(store, this.#directory, this.#done)
    }
    await writeStats(files, directory, { cuts: this.#done, splits: this.#counters })
    return {
      ...{ cuts: this.#done, rows: rowsOf(this.#counters), units: totals?.units ?? this.#done, end, missing, damaged },
      empty: end === 'complete' && !settings.noYield.mayBeEmpty ? this.#emptiness() : null,
    }
  }

  #emptiness(): KunStreamError | null {
    const llmStages = this.#replay.stages.described.map(({ name }) => name)
    return new NoYieldDetector({ recordsMax: null, llmStages, from: this.#counters }).atEnd()
  }
}

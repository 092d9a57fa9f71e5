/** Opens a run that is divided into units: its run.json, its plan, and what other processes have done so far. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Child } from '../core/types.js'
import { UsageError } from '../errors.js'
import { say } from '../language/say.js'
import type { ObjectStore } from '../objects/object-store.js'
import { type PreparedSettings, tailSettingsOf } from '../recipe/run-settings.js'
import type { RunRecord } from '../sinks/index.js'
import { type FileLayer, nodeFiles } from '../storage/files.js'
import { openPreparedStore } from './prepared-store.js'
import type { PlannedUnit, UnitFailure, UnitRun, UnitWorker, UnitWorkerOptions } from './types.js'
import { readDecisions, writeDecision } from './unit-decisions.js'
import { fetchUnit } from './unit-fetch.js'
import { readUnitFile } from './unit-file.js'
import { cutOf, resultKey, unitsPerPlanFile } from './unit-keys.js'
import { type PlanLine, readPlan, readPlanFile, readPlanTotals } from './unit-plan.js'
import { unitRecipe } from './unit-record.js'
import { readFailures } from './unit-result.js'
import { openUnitWorker } from './unit-worker.js'

/** Options for `openUnits`; all optional. */
interface OpenUnitsOptions {
  /** Overrides of the recipe, `path=value`; those that change the rows are refused. */
  readonly overrides?: readonly string[]
  /** For commands that only read: the store is not tried. */
  readonly readOnly?: boolean
  /** File layer of a directory. */
  readonly files?: FileLayer
  /** Called with retries of a bucket that does not respond. */
  readonly onEvent?: ((message: string) => void) | undefined
}

/**
 * Opens a run that `kun-stream prepare` divided.
 *
 * @param where a path, or s3://bucket/prefix
 * @throws {UsageError} nothing was prepared there
 */
export async function openUnits(where: string, options: OpenUnitsOptions = {}): Promise<UnitRun> {
  const { readOnly = false, files = nodeFiles, overrides = [], onEvent } = options
  const { store, record } = await openPreparedStore(where, { readOnly, files, onEvent })
  return new Units(store, record, overrides, files)
}

/** Lines of the plan that are kept in memory: those of the files that were read last. */
const planFilesKept = 16

class Units implements UnitRun {
  readonly store: ObjectStore
  readonly #record: RunRecord
  readonly #overrides: readonly string[]
  readonly #files: FileLayer
  /** Files of the plan by their first cut. */
  readonly #plan = new Map<number, PlanLine[]>()

  constructor(store: ObjectStore, record: RunRecord, overrides: readonly string[], files: FileLayer) {
    this.store = store
    this.#record = record
    this.#overrides = overrides
    this.#files = files
  }

  async *planned(): AsyncGenerator<PlannedUnit> {
    for await (const { id, cut, candidates } of readPlan(this.store)) yield { id, cut, candidates }
  }

  async isComplete(): Promise<boolean> {
    return (await readPlanTotals(this.store)) !== null
  }

  async isDone(id: string): Promise<boolean> {
    return (await this.store.head(resultKey(id))) !== null
  }

  failures(id: string): Promise<readonly UnitFailure[]> {
    return readFailures(this.store, id)
  }

  async openWorker({ signal, endpoints = {}, onEvent = () => undefined }: UnitWorkerOptions): Promise<UnitWorker> {
    const recipe = unitRecipe(this.#record, this.store.url, [
      ...this.#overrides,
      ...Object.entries(endpoints).map(([name, urls]) => `models.${name}.endpoints=${JSON.stringify(urls)}`),
    ])
    const prepared: PreparedSettings = await tailSettingsOf(recipe, this.store.directory)
    return openUnitWorker({
      store: this.store,
      record: this.#record,
      settings: prepared.settings,
      lineOf: (id) => this.#lineOf(id),
      decisionsOf: (id) => readDecisions(this.store, id),
      signal,
      onEvent,
      onClose: () => prepared.close(),
      files: this.#files,
    })
  }

  decideRecord(id: string, record: string, reason: string): Promise<void> {
    return writeDecision(this.store, id, [record], reason)
  }

  decideRecords(id: string, records: readonly string[], reason: string): Promise<void> {
    return writeDecision(this.store, id, records, reason)
  }

  async candidates(id: string): Promise<string[]> {
    const line = await this.#lineOf(id)
    const decided = await readDecisions(this.store, id)
    const scratch = await mkdtemp(join(tmpdir(), 'kun-stream-unit-'))
    const found: string[] = []
    try {
      for await (const { records } of readUnitFile(await fetchUnit(this.store, nodeFiles, line, scratch))) {
        for (const record of records) if (!(record instanceof Child) && !decided.has(record.id)) found.push(record.id)
      }
      return found
    } finally {
      await rm(scratch, { recursive: true, force: true })
    }
  }

  close(): Promise<void> {
    return this.store.close()
  }

  async #lineOf(id: string): Promise<PlanLine> {
    const cut = cutOf(id)
    const first = cut - (cut % unitsPerPlanFile)
    let lines = this.#plan.get(first) ?? []
    if (lines[cut - first] === undefined) {
      lines = await readPlanFile(this.store, cut)
      this.#plan.set(first, lines)
      if (this.#plan.size > planFilesKept) this.#plan.delete(this.#plan.keys().next().value as number)
    }
    const line = lines[cut - first]
    if (line?.id === id) return line
    throw new UsageError(
      line === undefined
        ? say`${id} is not planned in ${this.store.url}`
        : say`${id} is not planned in ${this.store.url}: the unit of cut ${cut} is ${line.id}`,
    )
  }
}

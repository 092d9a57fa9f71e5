/** Generates the units of a run that have no result, the ones that nobody has tried first. */
import { KunStreamError, UsageError } from '../errors.js'
import { count } from '../language/count.js'
import { say } from '../language/say.js'
import { recipeNameOf } from '../sinks/index.js'
import { openUnits } from '../units/open-units.js'
import type { UnitRun, UnitWorker } from '../units/types.js'
import { attemptsPrefix, checkUnitId, cutOf } from '../units/unit-keys.js'
import { readUnitRecord, unitRecipe } from '../units/unit-record.js'
import { readResult } from '../units/unit-result.js'
import { checkForeignRun } from './foreign-run.js'
import type { Part } from './part-option.js'
import { sayOnStderr, writeOut } from './terminal/output.js'
import { serveUnitMetrics } from './unit-metrics.js'
import { UnitStop } from './unit-stop.js'

export interface GenerateFlags {
  readonly unit: readonly string[]
  /** Units whose cut is `number` − 1 modulo `of`. */
  readonly part?: Part
  readonly set: string[]
  readonly trust?: boolean
  readonly metrics?: number
  readonly json?: boolean
}

/** Units that are generated concurrently: the second one keeps the servers busy while the first one ends. */
const unitsAtOnce = 2

/** What a call of `generate` did. */
interface Tally {
  committed: number
  /** Units that another process generated meanwhile. */
  already: number
  readonly failed: string[]
}

export async function generateUnits(where: string, flags: GenerateFlags): Promise<void> {
  const { unit, part, set, trust = false, json } = flags
  if (unit.length > 0 && part !== undefined) throw new UsageError(say`--unit and --part cannot be combined`)
  for (const id of unit) checkUnitId(id)
  const run = await openUnits(where, { overrides: set, onEvent: sayOnStderr })
  const stop = new UnitStop()
  try {
    await mustBeTrusted(run, set, trust)
    const done: Tally = { committed: 0, already: 0, failed: [] }
    const closeMetrics = await serveUnitMetrics({
      ...{ port: flags.metrics, name: await recipeName(run), store: run.store },
      worker: () => ({ ...done, failed: done.failed.length }),
    })
    try {
      const worker = await run.openWorker({ signal: stop.signal, onEvent: sayOnStderr })
      try {
        await generateAll(worker, { units: unitsToDo(run, unit, part), rows: await RowsSoFar.open(run, set) }, done)
      } finally {
        await worker.close()
      }
    } finally {
      await closeMetrics()
    }
    if (!(await run.isComplete())) sayOnStderr(say`the plan is not complete`)
    if (json) writeOut(`${JSON.stringify({ command: 'generate', where, ...done })}\n`)
    else {
      const [committed, already] = [count(done.committed, 'unit'), count(done.already, 'unit')]
      writeOut(`${say`${committed} of this call, ${already} by others, ${done.failed.length} failed`}\n`)
    }
    if (done.failed.length > 0) process.exitCode = 1
  } finally {
    stop.close()
    await run.close()
  }
}

export async function recipeName({ store }: UnitRun): Promise<string> {
  return recipeNameOf(await readUnitRecord(store)) ?? ''
}

/** @throws {UsageError} another account wrote the run, and texts would go to another machine */
export async function mustBeTrusted({ store }: UnitRun, overrides: readonly string[], trust: boolean): Promise<void> {
  const { directory } = store
  if (directory === null) return
  const recipe = unitRecipe(await readUnitRecord(store), store.url, overrides)
  await checkForeignRun({ directory, recipe, overrides, trust, print: sayOnStderr })
}

/** A failure of one unit does not end the others; one of the servers, or a stop, ends all. */
async function generateAll(worker: UnitWorker, { units, rows }: Work, done: Tally): Promise<void> {
  let ended = null as unknown
  const work = async (): Promise<void> => {
    // Calls of a generator are served one after the other.
    for (let next = await units.next(); !next.done && ended === null; next = await units.next()) {
      const id = next.value
      if (await rows.areEnough()) return
      try {
        if ((await worker.generate(id)) === 'already') done.already++
        else {
          done.committed++
          sayOnStderr(say`unit ${id} is generated`)
        }
      } catch (error) {
        if (!(error instanceof KunStreamError) || error.exitCode === 3) throw error
        done.failed.push(id)
        sayOnStderr(say`unit ${id} failed: ${error.message}`)
      }
    }
  }
  const all = await Promise.allSettled(
    Array.from({ length: unitsAtOnce }, () =>
      work().catch((error: unknown) => {
        ended ??= error
        throw error
      }),
    ),
  )
  for (const each of all) if (each.status === 'rejected') throw each.reason
}

interface Work {
  readonly units: AsyncGenerator<string, void>
  readonly rows: RowsSoFar
}

/**
 * Yields units without a result: in order of the cut those that nobody has tried, then the others, which may be in hand of
 * another process or of one that ended.
 */
async function* unitsToDo(
  run: UnitRun,
  wanted: readonly string[],
  part: Part | undefined,
): AsyncGenerator<string, void> {
  const isWanted = new Set(wanted)
  const found = new Set<string>()
  const done = new Set<string>()
  // A list may lag: what it lacks is asked by name before the unit is tried.
  for await (const key of run.store.list('results/')) done.add(key.slice(key.lastIndexOf('/') + 1, -'.json'.length))
  const tried: string[] = []
  for await (const { id } of run.planned()) {
    if (wanted.length > 0 && !isWanted.has(id)) continue
    if (part !== undefined && cutOf(id) % part.of !== part.number - 1) continue
    found.add(id)
    if (done.has(id)) continue
    if (wanted.length === 0 && (await hasAttempt(run, id))) tried.push(id)
    else yield id
  }
  const unknown = wanted.find((id) => !found.has(id))
  if (unknown !== undefined) throw new UsageError(say`${unknown} is not planned in ${run.store.url}`)
  // Each process begins elsewhere, so that they do not all try the same one.
  const start = Math.floor(Math.random() * tried.length)
  for (const id of [...tried.slice(start), ...tried.slice(0, start)]) if (!(await run.isDone(id))) yield id
}

async function hasAttempt({ store }: UnitRun, id: string): Promise<boolean> {
  for await (const _ of store.list(attemptsPrefix(id))) return true
  return false
}

/** Rows of the results that assembly will use first, up to the first unit without one. */
class RowsSoFar {
  readonly #run: UnitRun
  readonly #rowsMax: number
  readonly #units: AsyncIterator<{ readonly id: string }>
  #next: string | null = null
  #rows = 0

  private constructor(run: UnitRun, rowsMax: number) {
    this.#run = run
    this.#rowsMax = rowsMax
    this.#units = run.planned()[Symbol.asyncIterator]()
  }

  static async open(run: UnitRun, overrides: readonly string[]): Promise<RowsSoFar> {
    const { limits } = unitRecipe(await readUnitRecord(run.store), run.store.url, overrides)
    return new RowsSoFar(run, limits.rowsMax)
  }

  /** Returns whether assembly will reach `rowsMax` with the results that are there. */
  async areEnough(): Promise<boolean> {
    if (!Number.isFinite(this.#rowsMax)) return false
    while (this.#rows < this.#rowsMax) {
      this.#next ??= (await this.#units.next()).value?.id ?? null
      const result = this.#next === null ? null : await readResult(this.#run.store, this.#next)
      if (result === null) return false
      this.#rows += result.work.rows
      this.#next = null
    }
    return true
  }
}

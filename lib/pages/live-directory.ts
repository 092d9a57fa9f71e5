/** The state of a run from its directory: one that is in progress in another process, or has ended. */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { UsageError } from '../errors.js'
import { say } from '../language/say.js'
import { directoryStore } from '../objects/directory-store.js'
import { funnelStages } from '../publish/funnel-svg.js'
import { readSeries } from '../report/series.js'
import { readTimings } from '../report/timings.js'
import { countersOf } from '../run/committed-cut.js'
import { readUncommitted } from '../run/latest-file.js'
import { readManifest } from '../sinks/index.js'
import { lockHolder } from '../storage/lock/lock.js'
import { latestName, manifestName, seriesName, timingsName } from '../storage/run-layout.js'
import { UnitProgressReader } from '../units/unit-progress.js'
import { stateOf, totalsOf } from './run-view.js'
import { livePairs } from './stored-records.js'
import type { ControlAction, LiveView, UnitsView } from './view.js'

type Committed = Pick<LiveView, 'startedAt' | 'point' | 'totals' | 'stages' | 'latest' | 'latestAll'>

const unitsEveryMs = 4_000

export class LiveDirectory {
  readonly #directory: string
  #revision = ''
  #committed: Committed | null = null
  #units: UnitsView | null = null
  #unitsAt = Number.NEGATIVE_INFINITY
  #reader: UnitProgressReader | null = null

  constructor(directory: string) {
    this.#directory = directory
  }

  /** Reads the lock at each call; the other files only if they changed. */
  async live(): Promise<LiveView> {
    const revision = await this.#stamps([manifestName, timingsName, seriesName, latestName])
    if (this.#committed === null || revision !== this.#revision) this.#committed = await this.#read()
    this.#revision = revision
    const calls = await readTimings(this.#directory)
    const state = await stateOf(this.#directory, calls.at(-1))
    return {
      ...this.#committed,
      state,
      estimate: null,
      units: await this.#readUnits(),
      // Only a process whose state is visible here can be signalled from here.
      controls: state.kind === 'running' ? ['drain'] : [],
      revision: await this.#stamps([manifestName]),
    }
  }

  /** Stops the run in the other process, as Ctrl-C does: requests in flight are completed. */
  async control(action: ControlAction): Promise<void> {
    const lock = await lockHolder(this.#directory)
    if (action !== 'drain' || lock?.state !== 'running') {
      throw new UsageError(say`the run is not in a process of this machine: stop it where it was started`)
    }
    process.kill(lock.holder.pid, 'SIGINT')
  }

  /** Lists results at most every few seconds; null if the directory has no plan. */
  async #readUnits(): Promise<UnitsView | null> {
    const now = performance.now()
    if (now - this.#unitsAt < unitsEveryMs) return this.#units
    this.#unitsAt = now
    this.#reader ??= new UnitProgressReader(directoryStore(this.#directory))
    this.#units = await this.#reader.read()
    return this.#units
  }

  async #read(): Promise<Committed> {
    const entries = await readManifest(this.#directory)
    const last = entries.at(-1)
    const counters = last === undefined ? {} : countersOf(last)
    const latest = await readUncommitted(this.#directory)
    const series = (await readSeries(this.#directory)).at(-1)
    return {
      startedAt: series?.startedAt ?? '',
      point: series?.points.at(-1) ?? null,
      totals: totalsOf(counters, entries),
      stages: last === undefined ? [] : funnelStages(counters),
      latest: latest === null ? [] : livePairs(latest),
      latestAll: latest?.pairs ?? 0,
    }
  }

  async #stamps(names: readonly string[]): Promise<string> {
    const found = await Promise.all(
      names.map((name) => stat(join(this.#directory, name)).catch(() => null)), // a file that is not there yet
    )
    return found.map((file) => (file === null ? '-' : `${file.mtimeMs}:${file.size}`)).join(' ')
  }
}

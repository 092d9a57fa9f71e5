/** `--metrics` of generate and worker: the units of the whole run, and what this process did. */
import { say } from '../language/say.js'
import type { ObjectStore } from '../objects/object-store.js'
import type { UnitMetrics, WorkerTally } from '../units/unit-metric-definitions.js'
import { sayOnStderr } from './terminal/output.js'

/** Age at which a scrape reads the store again: many workers are scraped every few seconds. */
const readEveryMs = 30_000

interface UnitMetricsOptions {
  /** Without it nothing is served. */
  readonly port: number | undefined
  readonly name: string
  readonly store: ObjectStore
  readonly worker: () => WorkerTally
}

/** Serves the metrics until they are closed. @throws {UsageError} the port cannot be used */
export async function serveUnitMetrics({
  port,
  name,
  store,
  worker,
}: UnitMetricsOptions): Promise<() => Promise<void>> {
  if (port === undefined) return async () => undefined
  const { serveMetrics } = await import('./metrics-server.js')
  const { unitMetricDefinitions } = await import('../units/unit-metric-definitions.js')
  const { UnitProgressReader } = await import('../units/unit-progress.js')
  const reader = new UnitProgressReader(store)
  let readAt = Number.NEGATIVE_INFINITY
  let run: UnitMetrics['run'] = null
  const read = async (): Promise<UnitMetrics> => {
    if (performance.now() - readAt >= readEveryMs) {
      readAt = performance.now()
      run = await reader.read()
    }
    return { run, worker: worker() }
  }
  const server = await serveMetrics(port, name, unitMetricDefinitions, read)
  sayOnStderr(say`metrics: ${server.url}`)
  return () => server.close()
}

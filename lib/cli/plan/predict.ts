/** `plan --records`: runs a sample for real and predicts the whole run. */
import { UsageError } from '../../errors.js'
import { say } from '../../language/say.js'
import { readEndpointList } from '../../llm/endpoint/endpoint-list.js'
import type { Recipe } from '../../recipe/index.js'
import type { Shard } from '../../sources/index.js'
import type { Check } from './check.js'
import { type Forecast, forecastOf } from './forecast.js'
import { forecastChecks } from './forecast-text.js'
import { diskCheck } from './place-checks.js'
import { runSample, sampleSources } from './sample-run.js'

/** Options for `predict`. */
interface PredictOptions {
  readonly directory: string
  readonly shards: readonly Shard[]
  readonly records: number
  /** GPUs of each of the recipe's servers. */
  readonly gpusPerServer: number
  readonly gpuHourPrice: number | null
  readonly say: (line: string) => void
}

/** @throws {UsageError} no record can be sampled */
export async function predict(
  recipe: Recipe,
  options: PredictOptions,
): Promise<{ forecast: Forecast; checks: Check[] }> {
  const { directory, shards, records, gpuHourPrice } = options
  const sources = await sampleSources(shards, records)
  if (sources.every((source) => source.records === 0)) {
    throw new UsageError(
      say`--records: no record can be sampled from the sources (standard input is read by the run only)`,
    )
  }
  const result = await runSample(recipe, sources, options.say)
  const gpus = options.gpusPerServer * (await serverCount(recipe))
  const forecast = forecastOf(sources, result, { gpus, gpuHourPrice })
  const disk = await diskCheck(directory, Math.round(forecast.bytes.high), null)
  return { forecast, checks: [...forecastChecks(result.counters), disk] }
}

/** Returns the number of servers that a recipe names, counting those that the files list now. */
export async function serverCount({ models }: Recipe): Promise<number> {
  const lists = await Promise.all(
    Object.values(models).map(({ endpoints }) => ('file' in endpoints ? readEndpointList(endpoints.file) : endpoints)),
  )
  return new Set(lists.flat()).size
}

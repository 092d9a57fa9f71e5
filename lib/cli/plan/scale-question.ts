/** From the options of `plan` to the question that scale-forecast.ts answers. */
import { UsageError } from '../../errors.js'
import { say } from '../../language/say.js'
import type { Recipe } from '../../recipe/index.js'
import type { Shard } from '../../sources/index.js'
import type { Forecast } from './forecast.js'
import {
  candidatesBySize,
  gpuSecondsDefault,
  lifeHoursMin,
  type ScaleForecast,
  scaleForecast,
} from './scale-forecast.js'

/** Options of `plan` about many GPUs. */
interface ScaleFlags {
  readonly gpus?: number
  readonly gpuLifeHours?: number
  readonly gpuSeconds?: number
  readonly candidates?: number
  readonly gpuHourPrice?: number
}

/** Predicts the run in units; null without --gpus. */
type ScaleOf = (recipe: Recipe, shards: readonly Shard[], forecast: Forecast | null) => ScaleForecast | null

/** @throws {UsageError} an option has no effect without --gpus, or is out of range: before anything is read */
export function scaleOf(flags: ScaleFlags): ScaleOf {
  const { gpus, gpuLifeHours, gpuSeconds, candidates, gpuHourPrice = null } = flags
  if (gpus === undefined) {
    if (gpuLifeHours !== undefined || gpuSeconds !== undefined || candidates !== undefined)
      throw new UsageError(say`--gpu-life-hours, --gpu-seconds and --candidates need --gpus`)
    return () => null
  }
  if (gpuLifeHours !== undefined && gpuLifeHours < lifeHoursMin)
    throw new UsageError(
      say`--gpu-life-hours is ${gpuLifeHours}: give at least ${lifeHoursMin}, since a model takes minutes to load`,
    )
  return (recipe, shards, forecast) => {
    const sampled = forecast !== null && forecast.candidates.value > 0 ? forecast : null
    const known = candidates ?? sampled?.candidates.value ?? candidatesBySize(shards)
    if (known === null)
      throw new UsageError(say`--gpus: the size of a shard is unknown: give --candidates, or --records for a sample`)
    const sampledSeconds = sampled === null ? null : (sampled.gpuHours.value * 3600) / sampled.candidates.value
    const measured = sampledSeconds !== null && sampledSeconds > 0 ? sampledSeconds : null
    return scaleForecast({
      gpus,
      candidates: Math.max(1, Math.round(known)),
      candidatesFrom: candidates !== undefined ? 'option' : sampled !== null ? 'sample' : 'size',
      candidatesPerUnit: recipe.output.candidatesPerCut,
      gpuSeconds: gpuSeconds ?? measured ?? gpuSecondsDefault,
      gpuSecondsFrom: gpuSeconds !== undefined ? 'option' : measured !== null ? 'sample' : 'default',
      lifeHours: gpuLifeHours ?? null,
      gpuHourPrice,
    })
  }
}

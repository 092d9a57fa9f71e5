/** The figures of a run on many GPUs as lines of text. */

import { count } from '../../language/count.js'
import { duration } from '../../language/duration.js'
import { grouped } from '../../language/grouped.js'
import { say } from '../../language/say.js'
import { bytesText } from '../terminal/bytes-text.js'
import { labelled } from './forecast-text.js'
import type { ScaleForecast } from './scale-forecast.js'

export function scaleLines(scale: ScaleForecast): string[] {
  const { gpus, units, candidatesPerUnit, unitSeconds, hours, gpuHours, cost, tailSeconds, workers, slurm } = scale
  const { store, shippedBytes } = scale
  const whole = (value: number): string => grouped(Math.round(value))
  const decimal = (value: number, digits: number): string =>
    value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })
  const shipped = shippedBytes.units + shippedBytes.replies + shippedBytes.results
  const spread =
    units === 1
      ? say`${whole(units)}, ${duration(unitSeconds)} on one GPU`
      : say`${whole(units)} of ${whole(candidatesPerUnit)} candidates, ${duration(unitSeconds)} each on one GPU`
  const elements = say`submit --slurm --parallel ${workers}: ${count(slurm.elements, 'element')} of ${count(slurm.unitsPerElement, 'unit')} in ${count(slurm.arrays, 'array')}`
  return [
    say`In units, on ${count(gpus, 'GPU')}:`,
    labelled(say`candidates`, candidatesText(scale, whole(scale.candidates))),
    labelled(say`work`, workText(scale)),
    labelled(say`units`, spread),
    labelled(say`time`, say`${duration(hours * 3600)}, of which at the end ${duration(tailSeconds)} with GPUs idle`),
    labelled(say`GPU hours`, decimal(gpuHours, 1)),
    ...(cost === null ? [] : [labelled(say`cost`, decimal(cost, 2))]),
    labelled(say`losses`, lossesText(scale, whole(scale.losses))),
    labelled(
      say`store`,
      say`${whole(store.reads)} reads and ${whole(store.writes)} writes: ${decimal(store.writesDollars, 2)} dollars at 5 a million writes`,
    ),
    labelled(
      say`shipped`,
      say`${bytesText(shipped)}: units ${bytesText(shippedBytes.units)}, replies ${bytesText(shippedBytes.replies)}, results ${bytesText(shippedBytes.results)}`,
    ),
    labelled(
      say`workers`,
      say`${workers}, each with one GPU: worker --queue, or generate --part 1/${workers} and so on`,
    ),
    labelled('Slurm', elements),
    ...advice(scale),
  ]
}

function candidatesText({ candidatesFrom }: ScaleForecast, candidates: string): string {
  if (candidatesFrom === 'option') return candidates
  if (candidatesFrom === 'sample') return say`${candidates}, from the sample`
  return say`${candidates}, estimated from the size of the input; give --records or --candidates`
}

function workText({ gpuSeconds, gpuSecondsFrom }: ScaleForecast): string {
  const seconds = Number(gpuSeconds.toPrecision(3))
  if (gpuSecondsFrom === 'option') return say`${seconds} GPU seconds a candidate`
  if (gpuSecondsFrom === 'sample') return say`${seconds} GPU seconds a candidate, at the rate of the sample`
  return say`${seconds} GPU seconds a candidate: 8B models on an H100; give --records or --gpu-seconds`
}

function lossesText({ lifeHours, wasteShare }: ScaleForecast, losses: string): string {
  if (lifeHours === null) return say`none; with spot GPUs give --gpu-life-hours`
  return say`${losses} if a GPU lives ${duration(lifeHours * 3600)} on average: ${(100 * wasteShare).toFixed(1)} % of the work is repeated or spent on loading models`
}

/** Units a GPU below which the end of a run leaves many GPUs idle. */
const unitsPerGpuMin = 5
/** Cuts that are no longer worth a unit. */
const candidatesPerCutMin = 100

function advice({ gpus, units, candidates }: ScaleForecast): string[] {
  if (gpus === 1 || units >= gpus * unitsPerGpuMin) return []
  const cut = Math.floor(candidates / (gpus * unitsPerGpuMin))
  if (cut < candidatesPerCutMin) return [say`Fewer than ${unitsPerGpuMin} units a GPU: many GPUs are idle at the end`]
  return [
    say`Fewer than ${unitsPerGpuMin} units a GPU: many GPUs are idle at the end. Set output.candidatesPerCut: ${cut}`,
  ]
}

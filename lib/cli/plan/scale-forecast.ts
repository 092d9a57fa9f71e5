/**
 * A run on many GPUs, before it is begun: units, time, losses, the store, what is shipped. The times come from the model in
 * virtual time (scale-model.ts), which `bench scale` shows beside the arithmetic.
 */
import { elementMinutesDefault, unitsInTime } from '../../slurm/elements.js'
import { scaleDefaults, simulateScale, wasteShare } from './scale-model.js'

/** GPU seconds of a candidate: label, judge and polish of 60 % with 8B models on an H100 (docs/scale.md). */
export const gpuSecondsDefault = 0.153
/** Bytes of text of a chunk, and share of the chunks that become candidates (docs/scale.md). */
const chunkBytes = 2_000
const keptShare = 0.7
/** Bytes of text in a byte of a compressed shard. */
const compression = 3
/** Packed replies of a candidate. */
const replyBytes = 1_200
/** Compressed unit file of a candidate, with the rejects before it. */
const unitBytes = 800
/** A line of the plan and a result. */
const recordBytes = 8_000
/** Elements of an array by Slurm's default MaxArraySize. */
const arrayMax = 1_001
/** US dollars for a million writes: the list price of S3. */
const writesPrice = 5
/** Work that the model simulates, at most; larger runs are simulated smaller, with as many units a GPU. */
const simulatedUnitsMax = 50_000
const simulatedAttemptsMax = 500_000

/** Shortest mean life that is simulated: a model takes three minutes to load. */
export const lifeHoursMin = 0.1

export interface ScaleQuestion {
  readonly gpus: number
  readonly candidates: number
  /** Where the number comes from: `--candidates`, `--records`, or the size of the input. */
  readonly candidatesFrom: 'option' | 'sample' | 'size'
  readonly candidatesPerUnit: number
  readonly gpuSeconds: number
  readonly gpuSecondsFrom: 'option' | 'sample' | 'default'
  /** Mean life of a GPU in hours; null without losses. */
  readonly lifeHours: number | null
  readonly gpuHourPrice: number | null
}

/** Figures of a run in units on many GPUs. Times of GPUs are in seconds or hours as named. */
export interface ScaleForecast extends ScaleQuestion {
  readonly units: number
  /** Of a whole unit on one GPU. */
  readonly unitSeconds: number
  readonly hours: number
  /** Paid for: with loading, repeated work and the tail. */
  readonly gpuHours: number
  readonly cost: number | null
  /** From the first GPU that finds no unit to the end. */
  readonly tailSeconds: number
  readonly losses: number
  /** Work that is repeated, and loading of models, as a share of the work. */
  readonly wasteShare: number
  readonly store: { readonly reads: number; readonly writes: number; readonly writesDollars: number }
  /** Bytes that go to the store and come from it. */
  readonly shippedBytes: { readonly units: number; readonly replies: number; readonly results: number }
  /** `worker`, `generate --part` and pods: more have nothing to do. */
  readonly workers: number
  readonly slurm: { readonly unitsPerElement: number; readonly elements: number; readonly arrays: number }
}

export function scaleForecast(question: ScaleQuestion): ScaleForecast {
  const { gpus, candidates, candidatesPerUnit, gpuSeconds, lifeHours, gpuHourPrice } = question
  const units = Math.max(1, Math.ceil(candidates / candidatesPerUnit))
  // The last unit is smaller; a run of one unit is that one.
  const unitCandidates = Math.min(candidatesPerUnit, candidates)
  const unitSeconds = unitCandidates * gpuSeconds
  const meanLifeSeconds = lifeHours === null ? Number.POSITIVE_INFINITY : lifeHours * 3600
  const attempts = units * (1 + unitSeconds / meanLifeSeconds)
  const part = Math.min(1, simulatedUnitsMax / units, simulatedAttemptsMax / attempts)
  const small = { gpus: Math.max(1, Math.round(gpus * part)), units: Math.max(1, Math.round(units * part)) }
  const result = simulateScale({
    ...scaleDefaults,
    ...small,
    unitSeconds,
    meanLifeSeconds,
    replyBytesPerUnit: unitCandidates * replyBytes,
  })
  const times = units / small.units
  const writes = Math.round(result.storeWrites * times)
  const unitsPerElement = Math.min(units, unitsInTime(60 * elementMinutesDefault, unitSeconds))
  const elements = Math.ceil(units / unitsPerElement)
  const gpuHours = (result.gpuSeconds * times) / 3600
  return {
    ...question,
    units,
    unitSeconds,
    hours: gpuHours / gpus,
    gpuHours,
    cost: gpuHourPrice === null ? null : gpuHours * gpuHourPrice,
    tailSeconds: result.tailSeconds,
    losses: Math.round(result.losses * times),
    wasteShare: wasteShare(result),
    store: {
      reads: Math.round(result.storeReads * times),
      writes,
      writesDollars: (writes * writesPrice) / 1e6,
    },
    shippedBytes: { units: candidates * unitBytes, replies: candidates * replyBytes, results: units * recordBytes },
    workers: Math.min(gpus, units),
    slurm: { unitsPerElement, elements, arrays: Math.ceil(elements / arrayMax) },
  }
}

/** A shard, as far as an estimate needs it. */
interface SizedShard {
  readonly path: string
  readonly sizeBytes: number | null
}

/** Estimates the candidates of an input from its stored size; null if the size of a shard is unknown. */
export function candidatesBySize(shards: readonly SizedShard[]): number | null {
  let bytes = 0
  for (const { path, sizeBytes } of shards) {
    if (sizeBytes === null) return null
    bytes += sizeBytes * (isPlain(path) ? 1 : compression)
  }
  return Math.round((bytes / chunkBytes) * keptShare)
}

function isPlain(path: string): boolean {
  return /\.(?:jsonl?|ndjson|txt|csv|tsv|tar)$/i.test(path)
}

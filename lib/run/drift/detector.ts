/**
 * Detects that the replies of a stage changed: yield, share of Chinese characters, length and format over a moving window
 * are compared with the first records of the same stage. The starts of stages can be passed to the next process, so that a
 * restarted server with another model is detected.
 */
import { z } from 'zod'
import { unpinned } from '../../core/option-meta.js'
import { DriftError } from '../../errors.js'
import { say, translated } from '../../language/say.js'
import { driftName } from '../../storage/run-layout.js'

/** When a stage counts as drifted. None alters the output. */
export const driftOptions = z.strictObject({
  windowRecords: z
    .int()
    .min(20)
    .max(1_000_000)
    .default(400)
    .meta(unpinned('Records of the baseline of a stage, and of the window that is compared with it')),
  // 0.35 is from 0.9 to 0.55.
  shareFallMax: z
    .number()
    .min(0)
    .max(1)
    .default(0.35)
    .meta(unpinned('Largest fall of the share of records kept, of Chinese, of well-formed replies')),
  shareRatioMin: z
    .number()
    .min(0)
    .max(1)
    .default(0.6)
    .meta(unpinned('Smallest ratio of such a share to its baseline: half the yield is drift also where it was low')),
  lengthRatioMax: z
    .number()
    .min(1)
    .default(2.5)
    .meta(unpinned('Largest factor by which the mean length may change, either way')),
  sameEndingRecords: z
    .union([z.literal(false), z.int().min(20)])
    .default(200)
    .meta(
      unpinned(
        'First records of the run, a split, a stage or a shard that may all be rejected for one reason; false disables the check, also for a run without rows',
      ),
    ),
})
export type DriftOptions = z.output<typeof driftOptions>

/** Outcome of one record at one stage. */
export interface Observation {
  readonly stage: string
  /** Whether the record continues to the next stage. */
  readonly kept: boolean
  /** Share of Chinese characters among its letters, 0 to 1; omitted if there is no text. */
  readonly hanShare?: number
  readonly chars?: number
  /** Whether the reply has the requested format. */
  readonly wellFormed?: boolean
}

/** In the order in which they are compared: the most specific one first. */
const measures = ['hanShare', 'wellFormed', 'yield', 'chars'] as const
type Measure = (typeof measures)[number]

const measureTexts: Readonly<Record<Measure, string>> = {
  hanShare: 'the share of Chinese characters',
  wellFormed: 'the share of replies in the requested format',
  yield: 'the share of records kept',
  chars: 'the mean length in characters',
}

export const stageStart = z.strictObject({
  records: z.int().min(0),
  sums: z.record(z.enum(measures), z.number()),
  counts: z.record(z.enum(measures), z.int().min(0)),
})
/** Sums over the first window of records of a stage. JSON-safe. */
export type StageStart = z.output<typeof stageStart>

/** Detects drift in the stages of one run. */
export class DriftDetector {
  readonly #options: DriftOptions
  readonly #stages: Map<string, StageWindows>

  /** @param from starts of stages that an earlier process of the same run observed */
  constructor(options: DriftOptions, from: Readonly<Record<string, StageStart>> = {}) {
    this.#options = options
    this.#stages = new Map(Object.entries(from).map(([stage, start]) => [stage, new StageWindows(options, start)]))
  }

  /** Number of stages whose start is complete. */
  get stagesKnown(): number {
    return [...this.#stages.values()].filter((stage) => stage.isKnown).length
  }

  /** @returns the error to stop with if the stage drifted: what changed, from where to where */
  observe(observation: Observation): DriftError | null {
    const { stage } = observation
    const windows = this.#stages.get(stage) ?? new StageWindows(this.#options)
    this.#stages.set(stage, windows)
    const drift = windows.observe(observation)
    if (drift === null) return null
    const { what, start, now } = drift
    const records = this.#options.windowRecords
    return new DriftError(
      say`Stage '${stage}': ${what} went from ${round(start)} at the start to ${round(now)} over the last
        ${records} records. Look at the model server; run again to resume. If the change is intended,
        delete ${driftName} in the run directory first`,
      { details: { stage, what, start, now, records } },
    )
  }

  /** Compares with these starts from now on. */
  adopt(starts: Readonly<Record<string, StageStart>>): void {
    for (const [stage, start] of Object.entries(starts)) {
      const windows = this.#stages.get(stage) ?? new StageWindows(this.#options)
      windows.adopt(start)
      this.#stages.set(stage, windows)
    }
  }

  /** Returns the complete starts, by stage. */
  starts(): Readonly<Record<string, StageStart>> {
    return Object.fromEntries(
      [...this.#stages].flatMap(([stage, windows]) => (windows.isKnown ? [[stage, windows.start()]] : [])),
    )
  }
}

/** Sums of a stage over its first records and over the latest ones. */
class StageWindows {
  readonly #options: DriftOptions
  #start: Sums
  readonly #window = new Sums()
  readonly #ring: (Observation | undefined)[]
  #next = 0

  constructor(options: DriftOptions, start?: StageStart) {
    this.#options = options
    this.#ring = new Array(options.windowRecords)
    this.#start = new Sums(start)
  }

  get isKnown(): boolean {
    return this.#start.records >= this.#options.windowRecords
  }

  start(): StageStart {
    return this.#start.saved()
  }

  adopt(start: StageStart): void {
    this.#start = new Sums(start)
  }

  observe(observation: Observation): { what: string; start: number; now: number } | null {
    const leaving = this.#ring[this.#next]
    if (leaving !== undefined) this.#window.add(leaving, -1)
    this.#window.add(observation, 1)
    this.#ring[this.#next] = observation
    this.#next = (this.#next + 1) % this.#ring.length
    if (!this.isKnown) {
      this.#start.add(observation, 1)
      return null
    }
    if (this.#window.records < this.#options.windowRecords) return null
    for (const measure of measures) {
      const start = this.#start.mean(measure)
      const now = this.#window.mean(measure)
      // A measure needs values for a quarter of the window; if they are missing because of drift, the yield shows it.
      const isMeasured =
        Math.min(this.#start.count(measure), this.#window.count(measure)) * 4 >= this.#options.windowRecords
      if (isMeasured && this.#drifted(measure, start, now))
        return { what: translated(measureTexts[measure]), start, now }
    }
    return null
  }

  #drifted(measure: Measure, start: number, now: number): boolean {
    const { shareFallMax, shareRatioMin, lengthRatioMax } = this.#options
    if (measure === 'chars') return start > 0 && (now > start * lengthRatioMax || now < start / lengthRatioMax)
    // A higher yield changes the data as much as a lower one; a higher value of another share is not a fault.
    const isNoise = start - now <= noise(start, this.#options.windowRecords)
    const fallen = start - now > shareFallMax || (now < start * shareRatioMin && !isNoise)
    const risen = measure === 'yield' && now - start > shareFallMax
    return fallen || risen
  }
}

/** Four standard errors of the difference of two shares: larger differences almost never occur by chance. */
function noise(share: number, records: number): number {
  return 4 * Math.sqrt((2 * share * (1 - share)) / records)
}

const zeros: Readonly<Record<Measure, number>> = { hanShare: 0, wellFormed: 0, yield: 0, chars: 0 }

/** Sum and count of each measure over some records. */
class Sums {
  records: number
  readonly #sums: Record<Measure, number>
  readonly #counts: Record<Measure, number>

  constructor({ records, sums, counts }: StageStart = { records: 0, sums: zeros, counts: zeros }) {
    this.records = records
    this.#sums = { ...sums }
    this.#counts = { ...counts }
  }

  saved(): StageStart {
    return { records: this.records, sums: { ...this.#sums }, counts: { ...this.#counts } }
  }

  add({ kept, hanShare, chars, wellFormed }: Observation, sign: 1 | -1): void {
    this.records += sign
    this.#note('yield', kept ? 1 : 0, sign)
    if (hanShare !== undefined) this.#note('hanShare', hanShare, sign)
    if (chars !== undefined) this.#note('chars', chars, sign)
    if (wellFormed !== undefined) this.#note('wellFormed', wellFormed ? 1 : 0, sign)
  }

  count(measure: Measure): number {
    return this.#counts[measure]
  }

  mean(measure: Measure): number {
    return this.#sums[measure] / Math.max(1, this.#counts[measure])
  }

  #note(measure: Measure, value: number, sign: 1 | -1): void {
    this.#sums[measure] += sign * value
    this.#counts[measure] += sign
  }
}

function round(value: number): number {
  return Number(value.toPrecision(3))
}

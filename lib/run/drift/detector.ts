/**
 * Stops a run whose replies changed character: yield, language, length and format over a moving window, each stage for
 * itself, against the same stage at the run's start. Pure counting, fed by the stages; how each began can be handed to
 * the next process, for a changed server is a new start only when a person says so.
 */
import { z } from 'zod'
import { unpinned } from '../../core/option-meta.js'
import { DriftError } from '../../errors.js'

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
/** The options of the brakes, defaults filled in. */
export type DriftOptions = z.infer<typeof driftOptions>

/** What became of one record at one stage. */
export interface Observation {
  readonly stage: string
  /** It goes on to the next stage. */
  readonly kept: boolean
  /** Share of Chinese characters among its letters, 0 … 1; left out where there is no text. */
  readonly hanShare?: number
  readonly chars?: number
  /** The reply followed the format that was asked for. */
  readonly wellFormed?: boolean
}

/** The measures watched, in the order they are judged: the most telling first. */
const MEASURES = ['hanShare', 'wellFormed', 'yield', 'chars'] as const

/** How a stage began, JSON-safe: over its first window of records. */
export const stageStart = z.strictObject({
  records: z.int().min(0),
  sums: z.record(z.enum(MEASURES), z.number()),
  counts: z.record(z.enum(MEASURES), z.int().min(0)),
})
/** Sums over the records that a stage began with, JSON-safe. */
export type StageStart = z.infer<typeof stageStart>

/** Watches what stages make of replies; throws where they drift. One for a whole run. */
export interface DriftDetector {
  /** @throws {DriftError} the stage drifted: says what, from where to where. */
  observe(observation: Observation): void
  /** By stage: the start and the present window, for the report. */
  figures(): Readonly<Record<string, { readonly start: StageFigures; readonly now: StageFigures }>>
  /** Of the stages whose start is known whole, for `driftDetector` of the next process. */
  starts(): Readonly<Record<string, StageStart>>
  /** Stages whose start is known whole. */
  readonly stagesKnown: number
}

/** Means over a window. */
export interface StageFigures {
  readonly records: number
  readonly yield: number
  readonly hanShare: number
  readonly chars: number
  readonly wellFormed: number
}

/** @param from how stages began in an earlier process of the same run */
export function driftDetector(
  input: z.input<typeof driftOptions> = {},
  from: Readonly<Record<string, StageStart>> = {},
): DriftDetector {
  const options = driftOptions.parse(input)
  const stages = new Map(Object.entries(from).map(([stage, start]) => [stage, new StageWatch(options, start)]))
  return {
    observe(observation) {
      const watch = stages.get(observation.stage) ?? new StageWatch(options)
      stages.set(observation.stage, watch)
      const drift = watch.observe(observation)
      if (drift === null) return
      const { what, start, now } = drift
      throw new DriftError(
        `Stage '${observation.stage}': ${what} went from ${round(start)} at the start to ${round(now)} over the last ` +
          `${options.windowRecords} records. Look at the model server; run again to resume. Where the change is meant, ` +
          'delete brakes.json in the run directory first',
        { details: { stage: observation.stage, what, start, now, records: options.windowRecords } },
      )
    },
    figures: () =>
      Object.fromEntries([...stages].map(([stage, watch]) => [stage, { start: watch.start(), now: watch.now() }])),
    starts: () =>
      Object.fromEntries([...stages].flatMap(([stage, watch]) => (watch.isKnown ? [[stage, watch.saved()]] : []))),
    get stagesKnown() {
      return [...stages.values()].filter((watch) => watch.isKnown).length
    },
  }
}

type Measure = (typeof MEASURES)[number]
const NAMES: Record<Measure, string> = {
  hanShare: 'the share of Chinese characters',
  wellFormed: 'the share of replies in the format asked for',
  yield: 'the share of records kept',
  chars: 'the mean length in characters',
}

class StageWatch {
  readonly #start: Sums
  readonly #window = new Sums()
  readonly #ring: (Observation | undefined)[]
  #next = 0

  constructor(
    private readonly options: DriftOptions,
    start?: StageStart,
  ) {
    this.#ring = new Array(options.windowRecords)
    this.#start = new Sums(start)
  }

  get isKnown(): boolean {
    return this.#start.records >= this.options.windowRecords
  }

  saved(): StageStart {
    return this.#start.saved()
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
    if (this.#window.records < this.options.windowRecords) return null
    for (const measure of MEASURES) {
      const start = this.#start.mean(measure)
      const now = this.#window.mean(measure)
      // A measure that half of the window lacks says nothing, unless its lack is the drift: then the yield tells.
      const told = Math.min(this.#start.count(measure), this.#window.count(measure)) * 4 >= this.options.windowRecords
      if (told && this.#drifted(measure, start, now)) return { what: NAMES[measure], start, now }
    }
    return null
  }

  start(): StageFigures {
    return this.#start.figures()
  }

  now(): StageFigures {
    return this.#window.figures()
  }

  #drifted(measure: Measure, start: number, now: number): boolean {
    const { shareFallMax, shareRatioMin, lengthRatioMax } = this.options
    if (measure === 'chars') return start > 0 && (now > start * lengthRatioMax || now < start / lengthRatioMax)
    // Both a rise and a fall of the yield change the data; of the others only a fall.
    const surely = start - now > noise(start, this.options.windowRecords)
    const fallen = start - now > shareFallMax || (now < start * shareRatioMin && surely)
    const risen = measure === 'yield' && now - start > shareFallMax
    return fallen || risen
  }
}

/** Four standard errors of a difference of two shares: what chance alone does to one window in a great many. */
function noise(share: number, records: number): number {
  return 4 * Math.sqrt((2 * share * (1 - share)) / records)
}

const zeros: Readonly<Record<Measure, number>> = { hanShare: 0, wellFormed: 0, yield: 0, chars: 0 }

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

  figures(): StageFigures {
    const [hanShare, wellFormed, kept, chars] = MEASURES.map((measure) => this.mean(measure)) as number[]
    return {
      records: this.records,
      yield: kept ?? 0,
      hanShare: hanShare ?? 0,
      chars: chars ?? 0,
      wellFormed: wellFormed ?? 0,
    }
  }

  #note(measure: Measure, value: number, sign: 1 | -1): void {
    this.#sums[measure] += sign * value
    this.#counts[measure] += sign
  }
}

function round(value: number): number {
  return Number(value.toPrecision(3))
}

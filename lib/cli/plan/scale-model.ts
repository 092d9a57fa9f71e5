/**
 * Discrete-event model of a run of units on many GPUs, of which some are lost: spot instances, dead nodes. Seeded and
 * deterministic; times are virtual seconds.
 *
 * Each GPU takes the oldest waiting unit, works, commits. A lost GPU is replaced, which loads its model first. Its unit
 * waits until the loss is noticed, then goes to the head of the queue. With kept replies the next attempt continues from
 * what was shipped; otherwise it starts over.
 */
import { seededRandom } from '../../core/random.js'

/** Options of the model; times in seconds. */
export interface ScaleOptions {
  readonly gpus: number
  readonly units: number
  /** Mean work of a unit on one GPU, and the standard deviation as a share of it. */
  readonly unitSeconds: number
  readonly unitSpread: number
  /** Mean life of a GPU, exponential; infinite without losses. */
  readonly meanLifeSeconds: number
  /** Time from a loss until a replacement starts, and for loading the model. */
  readonly replacementSeconds: number
  readonly loadSeconds: number
  /** Time from a loss until its unit can be taken again: lease and check of a queue, or the time-outs of Slurm. */
  readonly noticeSeconds: number
  /** Whether replies of a lost attempt are used by the next one. */
  readonly keepsReplies: boolean
  /** Time between two shipments of replies, and the bytes that end one earlier. */
  readonly shipSeconds: number
  readonly shipBytes: number
  readonly replyBytesPerUnit: number
  /** Mean age of the requests in flight: work that is lost although everything received was shipped. */
  readonly inFlightSeconds: number
  /** Files of a unit's rows and rejects. */
  readonly partsPerUnit: number
  readonly seed: number
}

/**
 * Everything but the size of a run. Deviation of units, time to load a model, parts of a unit: assumptions. The rest are
 * defaults of this program: `worker --lock`, shipments of replies after 30 s or 8 MiB.
 */
export const scaleDefaults = {
  unitSpread: 0.05,
  replacementSeconds: 0,
  loadSeconds: 180,
  noticeSeconds: 60,
  keepsReplies: true,
  shipSeconds: 30,
  shipBytes: 8 * 1024 * 1024,
  inFlightSeconds: 10,
  partsPerUnit: 4,
  seed: 1,
} satisfies Partial<ScaleOptions>

/** Figures of one simulated run; GPU time in seconds, summed over all GPUs until the last unit is committed. */
export interface ScaleResult {
  readonly seconds: number
  /** `usefulSeconds + repeatedSeconds + loadingSeconds + absentSeconds + idleSeconds`. */
  readonly gpuSeconds: number
  /** Work of the attempts that is in the results. */
  readonly usefulSeconds: number
  /** Work that had to be done again. */
  readonly repeatedSeconds: number
  readonly loadingSeconds: number
  /** Lost GPUs that were not replaced yet. */
  readonly absentSeconds: number
  /** GPUs without a unit: the tail, and units whose loss was not noticed yet. */
  readonly idleSeconds: number
  /** From the first GPU that found no unit to the end. */
  readonly tailSeconds: number
  readonly losses: number
  readonly attempts: number
  readonly storeReads: number
  readonly storeWrites: number
}

interface Unit {
  readonly work: number
  /** Work whose replies were shipped. */
  kept: number
  /** Segments of replies that were shipped. */
  segments: number
}

type GpuState = 'absent' | 'loading' | 'working' | 'idle'

interface Gpu {
  state: GpuState
  sinceSeconds: number
  unit: Unit | null
  /** Number of its state: an event that was planned in an earlier state does not apply. */
  step: number
}

/** Time that was paid for and made nothing, without the tail, as a share of the useful time. */
export function wasteShare({ usefulSeconds, repeatedSeconds, loadingSeconds }: ScaleResult): number {
  return (repeatedSeconds + loadingSeconds) / usefulSeconds
}

/** Simulates one run until its last unit is committed. */
export function simulateScale(options: ScaleOptions): ScaleResult {
  return new ScaleModel(options).run()
}

class ScaleModel {
  readonly #options: ScaleOptions
  readonly #random: () => number
  readonly #events = new EventQueue()
  readonly #gpus: Gpu[]
  /** The next unit is the last. */
  readonly #waiting: Unit[]
  /** Units of lost GPUs, before new ones: assembly follows the order of the cuts. */
  readonly #retries: Unit[] = []
  readonly #idle: Gpu[] = []
  readonly #spent: Record<GpuState, number> = { absent: 0, loading: 0, working: 0, idle: 0 }
  /** Time between two shipments at the mean rate of replies. */
  readonly #shipSeconds: number
  readonly #work: number
  #committed = 0
  #firstIdleSeconds: number | null = null
  #losses = 0
  #attempts = 0
  #reads = 0
  #writes = 0

  constructor(options: ScaleOptions) {
    const { units, unitSeconds, unitSpread, shipSeconds, shipBytes, replyBytesPerUnit } = options
    this.#options = options
    this.#random = seededRandom(options.seed)
    this.#waiting = Array.from({ length: units }, () => ({
      ...{ work: Math.max(1, unitSeconds * (1 + unitSpread * this.#normal())), kept: 0, segments: 0 },
    }))
    this.#work = this.#waiting.reduce((sum, { work }) => sum + work, 0)
    this.#shipSeconds = Math.min(shipSeconds, (shipBytes * unitSeconds) / replyBytesPerUnit)
    this.#gpus = Array.from({ length: options.gpus }, () => ({
      ...{ state: 'absent' as const, sinceSeconds: 0, unit: null, step: 0 },
    }))
  }

  run(): ScaleResult {
    for (const gpu of this.#gpus) this.#start(gpu)
    while (this.#committed < this.#options.units) this.#events.runNext()
    for (const gpu of this.#gpus) this.#enter(gpu, gpu.state)
    const seconds = this.#events.nowSeconds
    const { absent, loading, working, idle } = this.#spent
    return {
      seconds,
      gpuSeconds: seconds * this.#options.gpus,
      usefulSeconds: this.#work,
      // Not below zero by rounding.
      repeatedSeconds: Math.max(0, working - this.#work),
      loadingSeconds: loading,
      absentSeconds: absent,
      idleSeconds: idle,
      tailSeconds: this.#firstIdleSeconds === null ? 0 : seconds - this.#firstIdleSeconds,
      losses: this.#losses,
      attempts: this.#attempts,
      storeReads: this.#reads,
      storeWrites: this.#writes,
    }
  }

  /** Ends the present state of a GPU, and with it the events that were planned in it. */
  #enter(gpu: Gpu, state: GpuState): void {
    const { nowSeconds } = this.#events
    this.#spent[gpu.state] += nowSeconds - gpu.sinceSeconds
    Object.assign(gpu, { state, sinceSeconds: nowSeconds, step: gpu.step + 1 })
  }

  /** Runs `next` after a time if the GPU is still in the same state. */
  #after(gpu: Gpu, seconds: number, next: () => void): void {
    const { step } = gpu
    this.#events.add(seconds, () => {
      if (gpu.step === step) next()
    })
  }

  #start(gpu: Gpu): void {
    this.#enter(gpu, 'loading')
    this.#after(gpu, this.#options.loadSeconds, () => this.#take(gpu))
    const { meanLifeSeconds } = this.#options
    if (Number.isFinite(meanLifeSeconds)) {
      this.#events.add(-meanLifeSeconds * Math.log(1 - this.#random()), () => this.#lose(gpu))
    }
  }

  #take(gpu: Gpu): void {
    const unit = this.#retries.shift() ?? this.#waiting.pop() ?? null
    gpu.unit = unit
    if (unit === null) {
      this.#firstIdleSeconds ??= this.#events.nowSeconds
      this.#enter(gpu, 'idle')
      this.#idle.push(gpu)
      return
    }
    this.#enter(gpu, 'working')
    this.#attempts++
    // The unit, whether its result is there, and the replies of earlier attempts.
    this.#reads += 2 + unit.segments
    this.#after(gpu, unit.work - unit.kept, () => this.#commit(gpu, unit))
  }

  #commit(gpu: Gpu, unit: Unit): void {
    this.#writes += Math.ceil((unit.work - unit.kept) / this.#shipSeconds) + this.#options.partsPerUnit + 1
    this.#committed++
    this.#take(gpu)
  }

  #lose(gpu: Gpu): void {
    const { replacementSeconds, noticeSeconds } = this.#options
    this.#losses++
    const { unit, state } = gpu
    if (state === 'idle') this.#idle.splice(this.#idle.indexOf(gpu), 1)
    if (state === 'working' && unit !== null) {
      this.#keep(unit, this.#events.nowSeconds - gpu.sinceSeconds)
      this.#events.add(noticeSeconds, () => this.#returned(unit))
    }
    gpu.unit = null
    this.#enter(gpu, 'absent')
    this.#after(gpu, replacementSeconds, () => this.#start(gpu))
  }

  /** What a lost attempt leaves: the replies that it had received at its last shipment. */
  #keep(unit: Unit, workedSeconds: number): void {
    const { keepsReplies, inFlightSeconds } = this.#options
    if (!keepsReplies) return
    const shipments = Math.floor(workedSeconds / this.#shipSeconds)
    this.#writes += shipments
    unit.segments += shipments
    unit.kept += Math.max(0, shipments * this.#shipSeconds - inFlightSeconds)
  }

  #returned(unit: Unit): void {
    this.#retries.push(unit)
    const gpu = this.#idle.shift()
    if (gpu !== undefined) this.#take(gpu)
  }

  /** Box and Muller. */
  #normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.#random())) * Math.cos(2 * Math.PI * this.#random())
  }
}

interface TimedEvent {
  readonly atSeconds: number
  /** Events of one time run in the order in which they were added. */
  readonly number: number
  readonly run: () => void
}

/** Events by time: a binary heap. */
class EventQueue {
  readonly #heap: TimedEvent[] = []
  #number = 0
  nowSeconds = 0

  add(afterSeconds: number, run: () => void): void {
    const heap = this.#heap
    heap.push({ atSeconds: this.nowSeconds + afterSeconds, number: this.#number++, run })
    for (let at = heap.length - 1; at > 0; ) {
      const parent = (at - 1) >> 1
      if (!this.#isBefore(at, parent)) break
      this.#swap(at, parent)
      at = parent
    }
  }

  runNext(): void {
    const heap = this.#heap
    this.#swap(0, heap.length - 1)
    const next = heap.pop() as TimedEvent
    for (let at = 0; ; ) {
      const [left, right] = [2 * at + 1, 2 * at + 2]
      let first = at
      if (left < heap.length && this.#isBefore(left, first)) first = left
      if (right < heap.length && this.#isBefore(right, first)) first = right
      if (first === at) break
      this.#swap(at, first)
      at = first
    }
    this.nowSeconds = next.atSeconds
    next.run()
  }

  #isBefore(a: number, b: number): boolean {
    const [one, other] = [this.#heap[a] as TimedEvent, this.#heap[b] as TimedEvent]
    return one.atSeconds < other.atSeconds || (one.atSeconds === other.atSeconds && one.number < other.number)
  }

  #swap(a: number, b: number): void {
    const heap = this.#heap
    const held = heap[a] as TimedEvent
    heap[a] = heap[b] as TimedEvent
    heap[b] = held
  }
}

/** A run on a virtual clock: blocks, candidates, stages with their servers. It gives the samples that a real run would. */
import type { NodeMetrics } from '../../lib/core/metrics.js'
import { StageWorkCounter } from '../../lib/llm/scheduler/stage-work.js'
import type { ProgressSample } from '../../lib/report/progress-sample.js'
import type { Random } from '../support/random.js'

export interface SimulatedStage {
  readonly name: string
  /** Index in `slots`. */
  readonly lane: number
  readonly latencyMs: (random: Random) => number
  /** Share of its records that continue. */
  readonly pass: number
}

export interface SimulatedRunOptions {
  readonly blocks: number
  readonly candidatesPerBlock: number
  /** Time of the preparation of a block, in one thread. */
  readonly prepareMs: number
  /** Concurrent requests of each lane. */
  readonly slots: readonly number[]
  readonly stages: readonly SimulatedStage[]
  /** Records in the model stages at most. */
  readonly credit?: number
  /** The first calls of the run are served from stored replies. */
  readonly storedReplies?: number
  /** Time before anything happens. */
  readonly startMs?: number
}

const blockBytes = 1000
const sampleEveryMs = 1000

interface SimulatedNode {
  readonly name: string
  readonly unit: string
  in: number
  out: number
  dropped: number
  active: number
  workMs: number
}

interface Candidate {
  readonly order: number
  stage: number
}

/** Returns a sample for each second. The last one is at the end of the run. */
export function simulatedRun(options: SimulatedRunOptions, random: Random): ProgressSample[] {
  return new Simulation(options, random).run()
}

class Simulation {
  readonly #events: { readonly atMs: number; readonly run: () => void }[] = []
  readonly #samples: ProgressSample[] = []
  readonly #options: Required<SimulatedRunOptions>
  readonly #random: Random
  readonly #nodes: SimulatedNode[]
  readonly #work = new StageWorkCounter()
  readonly #queues: Candidate[][]
  readonly #busy: number[]
  readonly #waiting: Candidate[] = []
  #nowMs = 0
  #inStages = 0
  #decidedBlocks = 0
  #kept = 0
  #left = 0
  #rows = 0

  constructor(options: SimulatedRunOptions, random: Random) {
    this.#options = { credit: 1536, storedReplies: 0, startMs: 500, ...options }
    this.#random = random
    const names = ['read', 'prepare', 'dedup', ...options.stages.map(({ name }) => name), 'write']
    this.#nodes = names.map((name, place) => ({
      name,
      unit: place < 3 ? 'block' : place === 3 ? 'record' : 'attempt',
      ...{ in: 0, out: 0, dropped: 0, active: 0, workMs: 0 },
    }))
    this.#queues = options.slots.map(() => [])
    this.#busy = options.slots.map(() => 0)
  }

  run(): ProgressSample[] {
    const { startMs, blocks } = this.#options
    this.#at(startMs, () => {
      Object.assign(this.#node('read'), { in: blocks, out: blocks })
      Object.assign(this.#node('prepare'), { in: blocks, active: blocks })
      this.#prepare(0)
    })
    this.#sample()
    let nextSampleMs = sampleEveryMs
    for (let event = this.#next(); event !== null; event = this.#next()) {
      for (; nextSampleMs <= event.atMs; nextSampleMs += sampleEveryMs) {
        this.#nowMs = nextSampleMs
        this.#sample()
      }
      this.#nowMs = event.atMs
      event.run()
    }
    this.#sample()
    return this.#samples
  }

  #prepare(block: number): void {
    const { blocks, candidatesPerBlock, prepareMs } = this.#options
    if (block === blocks) return
    const tookMs = prepareMs * (0.7 + 0.6 * this.#random.next())
    this.#at(this.#nowMs + tookMs, () => {
      const count = Math.round(candidatesPerBlock * (0.6 + 0.8 * this.#random.next()))
      const [prepare, dedup] = [this.#node('prepare'), this.#node('dedup')]
      prepare.out++
      prepare.active--
      prepare.workMs += tookMs
      dedup.in++
      dedup.out += count
      dedup.dropped += count
      this.#node('write').in += count
      this.#decidedBlocks++
      for (let n = 0; n < count; n++) this.#waiting.push({ order: this.#left++, stage: 0 })
      this.#admit()
      this.#prepare(block + 1)
    })
  }

  #admit(): void {
    while (this.#waiting.length > 0 && this.#inStages < this.#options.credit) {
      this.#inStages++
      this.#enter(this.#waiting.shift() as Candidate)
    }
  }

  #enter(candidate: Candidate): void {
    const { stages, storedReplies } = this.#options
    const stage = stages[candidate.stage]
    if (stage === undefined) {
      this.#rows++
      this.#end()
      return
    }
    const node = this.#node(stage.name)
    node.in++
    node.active++
    if (this.#kept < storedReplies) {
      this.#kept++
      this.#at(this.#nowMs + 2 * this.#kept ** 0.5, () => this.#leave(candidate, stage, null))
      return
    }
    const queue = this.#queues[stage.lane] as Candidate[]
    queue.push(candidate)
    this.#send(stage.lane)
  }

  /** Later stages first, then in order of input. */
  #send(lane: number): void {
    const queue = this.#queues[lane] as Candidate[]
    while (queue.length > 0 && (this.#busy[lane] as number) < (this.#options.slots[lane] as number)) {
      queue.sort((a, b) => b.stage - a.stage || a.order - b.order)
      const candidate = queue.shift() as Candidate
      const stage = this.#options.stages[candidate.stage] as SimulatedStage
      const latencyMs = stage.latencyMs(this.#random)
      this.#busy[lane] = (this.#busy[lane] as number) + 1
      this.#at(this.#nowMs + latencyMs, () => {
        this.#busy[lane] = (this.#busy[lane] as number) - 1
        this.#leave(candidate, stage, latencyMs)
        this.#send(lane)
      })
    }
  }

  #leave(candidate: Candidate, stage: SimulatedStage, latencyMs: number | null): void {
    const node = this.#node(stage.name)
    node.active--
    if (latencyMs === null) this.#work.add(stage.name, stage.lane, { kept: 1 })
    else this.#work.finished(stage.name, stage.lane, 1, latencyMs, true)
    if (this.#random.chance(stage.pass)) {
      node.out++
      candidate.stage++
      this.#enter(candidate)
    } else {
      node.dropped++
      this.#end()
    }
  }

  #end(): void {
    this.#node('write').in++
    this.#inStages--
    this.#admit()
  }

  #node(name: string): SimulatedNode {
    return this.#nodes.find((node) => node.name === name) as SimulatedNode
  }

  #at(atMs: number, run: () => void): void {
    this.#events.push({ atMs, run })
  }

  #next(): { readonly atMs: number; readonly run: () => void } | null {
    if (this.#events.length === 0) return null
    let least = 0
    for (let n = 1; n < this.#events.length; n++) {
      if ((this.#events[n] as { atMs: number }).atMs < (this.#events[least] as { atMs: number }).atMs) least = n
    }
    return this.#events.splice(least, 1)[0] ?? null
  }

  #sample(): void {
    const { blocks, storedReplies } = this.#options
    const bytes = blockBytes * blocks
    this.#samples.push({
      atMs: this.#nowMs,
      input: {
        readBytes: this.#node('read').in * blockBytes,
        decidedBytes: this.#decidedBlocks * blockBytes,
        totalBytes: bytes,
      },
      nodes: this.#nodes.map(
        ({ name, unit, in: taken, out, dropped, active, workMs }): NodeMetrics => ({
          ...{ name, unit, in: taken, out, dropped, failed: 0, inFlight: active },
          ...{ waitingForInputMs: 0, blockedByOutputMs: 0, workingMs: workMs },
        }),
      ),
      work: this.#work.read(),
      storedReplies: storedReplies - this.#kept,
      rows: this.#rows,
    })
  }
}

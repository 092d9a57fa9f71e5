/** The figures of a run at one moment, and the series of them that an estimate needs. */
import type { NodeMetrics } from '../core/metrics.js'
import type { StageWork } from '../llm/scheduler/stage-work.js'
import type { InputProgress } from '../sources/index.js'

/** What a call of `run` has done up to one moment. JSON-safe; counts are of this call unless they say otherwise. */
export interface ProgressSample {
  /** Milliseconds of a clock that does not jump. */
  readonly atMs: number
  readonly input: InputProgress
  /** In the order of the graph: source, stages, sink. */
  readonly nodes: readonly NodeMetrics[]
  /** Work of the model servers by stage. */
  readonly work: Readonly<Record<string, StageWork>>
  /** Stored replies of earlier calls that may still be used: an upper limit. */
  readonly storedReplies: number
  /** Finished pairs, with those of earlier calls; those of the open cut are included. */
  readonly rows: number
}

/** Longest time over which a rate is measured, ms. */
export const rateWindowMaxMs = 600_000
/** Samples that are kept for that time. */
const samplesMax = 300

/** The first sample of a run and those of its last ten minutes, in bounded memory. */
export class SampleSeries {
  readonly #samples: ProgressSample[] = []

  /** Adds a sample; `atMs` must not decrease. */
  add(sample: ProgressSample): void {
    const samples = this.#samples
    const [last, previous] = [samples.at(-1), samples.at(-2)]
    // The newest sample is replaced until it is far enough from the one before it.
    const tooClose = previous !== undefined && last !== undefined && last.atMs - previous.atMs < spacingMs
    if (tooClose && samples.length > 2) samples.pop()
    samples.push(sample)
    while (samples.length > 2 && sample.atMs - (samples[1]?.atMs ?? 0) > rateWindowMaxMs) samples.splice(1, 1)
  }

  /** Oldest first; the first one is the start of the run. */
  read(): readonly ProgressSample[] {
    return this.#samples
  }
}

const spacingMs = rateWindowMaxMs / samplesMax

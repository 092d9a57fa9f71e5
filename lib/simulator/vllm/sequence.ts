/** The state of a request in the engine, and the queue of waiting requests. All times are on the engine's clock. */
import { type BlockHash, blockTokens } from './kv-blocks.js'

export interface EngineRequest {
  readonly promptTokens: number
  /** At least 1. */
  readonly outputTokens: number
  /** One hash per full block of the prompt, from `blockHashes`; absent: shares no prefix. */
  readonly hashes?: readonly BlockHash[]
  /** Called at the end of each step that generated a token, with the number of tokens generated so far. */
  readonly onToken?: (tokens: number, nowMs: number) => void
  readonly finishedReason?: 'stop' | 'length'
}

export interface EngineResult {
  readonly arrivedMs: number
  /** Start of the first step that ran it. */
  readonly startedMs: number
  readonly firstTokenMs: number
  readonly doneMs: number
  readonly preemptions: number
}

export interface Sequence {
  readonly request: EngineRequest
  readonly onDone: (result: EngineResult) => void
  /** Unique in the engine. */
  readonly serial: number
  readonly arrivedMs: number
  state: 'waiting' | 'running' | 'done' | 'aborted'
  startedMs: number
  firstTokenMs: number
  lastTokenMs: number
  /** Tokens generated so far. */
  produced: number
  /** Tokens whose keys and values are in the cache. */
  computed: number
  /** Tokens that this step computes. */
  chunk: number
  blocks: number[]
  preemptions: number
}

/** First come, first served; preempted sequences come first, the last preempted one at the front. */
export class WaitingQueue {
  #waiting: Sequence[] = []
  #head = 0
  readonly #preempted: Sequence[] = []

  /** Number of waiting sequences; the caller that aborts one decrements it. */
  length = 0

  add(sequence: Sequence): void {
    this.#waiting.push(sequence)
    this.length++
  }

  putBack(sequence: Sequence): void {
    this.#preempted.push(sequence)
    this.length++
  }

  /** Returns the next sequence to run without removing it; null if there is none. Skips aborted ones. */
  first(): Sequence | null {
    while (this.#preempted.at(-1)?.state === 'aborted') this.#preempted.pop()
    const preempted = this.#preempted.at(-1)
    if (preempted !== undefined) return preempted
    while (this.#waiting[this.#head]?.state === 'aborted') this.#head++
    if (this.#head > 1_024 && this.#head * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#head)
      this.#head = 0
    }
    return this.#waiting[this.#head] ?? null
  }

  /** Removes the sequence that `first` returned. */
  remove(first: Sequence): void {
    if (this.#preempted.at(-1) === first) this.#preempted.pop()
    else this.#head++
    this.length--
  }
}

/** Returns the number of tokens, of the prompt and generated, whose keys and values are not computed yet. */
export function remainingTokens(sequence: Sequence): number {
  return sequence.request.promptTokens + sequence.produced - sequence.computed
}

export function blocksFor(tokens: number): number {
  return Math.ceil(tokens / blockTokens)
}

/** Counts and times of one node. They identify the bottleneck: the node that works while its neighbours wait. */

export interface NodeMetrics {
  readonly name: string
  readonly unit: string
  readonly in: number
  readonly out: number
  readonly dropped: number
  readonly failed: number
  /** Values in concurrent calls, or waiting for an earlier one. */
  readonly inFlight: number
  readonly waitingForInputMs: number
  readonly blockedByOutputMs: number
  readonly workingMs: number
}

/** Activity of a node; each millisecond is counted under exactly one. */
type NodeState = 'waitingForInput' | 'blockedByOutput' | 'working'

/** Collects the figures of a node; only that node writes them. */
export class NodeMeter {
  in = 0
  out = 0
  dropped = 0
  failed = 0
  inFlight = 0
  #state: NodeState = 'waitingForInput'
  #sinceMs: number
  readonly #spentMs: Record<NodeState, number> = { waitingForInput: 0, blockedByOutput: 0, working: 0 }

  readonly #now: () => number

  constructor(
    readonly name: string,
    readonly unit: string,
    now: () => number = () => performance.now(),
  ) {
    this.#now = now
    this.#sinceMs = now()
  }

  enter(state: NodeState): void {
    if (state === this.#state) return
    const nowMs = this.#now()
    this.#spentMs[this.#state] += nowMs - this.#sinceMs
    this.#sinceMs = nowMs
    this.#state = state
  }

  read(): NodeMetrics {
    const running = this.#now() - this.#sinceMs
    const spent = (state: NodeState): number => this.#spentMs[state] + (state === this.#state ? running : 0)
    return {
      name: this.name,
      unit: this.unit,
      in: this.in,
      out: this.out,
      dropped: this.dropped,
      failed: this.failed,
      inFlight: this.inFlight,
      waitingForInputMs: spent('waitingForInput'),
      blockedByOutputMs: spent('blockedByOutput'),
      workingMs: spent('working'),
    }
  }
}
